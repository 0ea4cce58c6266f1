"""`python -m webemo_curate.cli`, where the `curate` command is not on the path."""

from webemo_curate.cli import main

if __name__ == "__main__":
    main()
