"""The `curate` command: a function a command, options made from the configuration."""

from webemo_curate.cli.main import main

__all__ = ["main"]
