"""Commands that bring a set to others, and a released one back."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from webemo_curate.cli.call import Call
from webemo_curate.cli.command import PROCESSES, command
from webemo_curate.config import ExportFormat

POLITELY = tuple(
    f"fetch.{name}"
    for name in (
        *("mirror", "concurrency", "rate", "retries", "timeout", "passes", "patience"),
        *("contact", "ignore_robots", "allow_private"),
    )
)
"""The options of `fetch` that say how URLs are asked for."""


@command(
    "export",
    "export",
    looks=True,
    examples=(
        "export imagefolder --to folders --workspace mine",
        "export huggingface --to hub --license cc-by-4.0 --workspace mine",
    ),
)
def export(
    call: Call,
    form: Annotated[ExportFormat, typer.Argument(metavar="FORMAT", help="In which form.")],
    to: Annotated[Path, typer.Option(help="Folder to make.")],
) -> None:
    """Write the splits and their pictures in a form that others read."""
    from webemo_curate.exports.export import export as write

    exported = write(call.workspace, form, to, call.config().export)
    call.end(exported.summary(), lies=exported.folder, then="verify")
    call.answer(**asdict(exported))


@command(
    "release",
    *("export.license", "export.name"),
    looks=True,
    examples=(
        "release my-set --license cc-by-4.0 --workspace mine",
        "release my-set --remove https://photos.example/1.jpg --workspace mine",
    ),
)
def release(
    call: Call,
    folder: Annotated[Path, typer.Argument(help="Folder to make, or a release to replace.")],
    remove: Annotated[
        list[str] | None,
        typer.Option(metavar="SHA256|URL", help="Take a picture down, for good; repeatable."),
    ] = None,
) -> None:
    """Write the set without its pictures: hashes, URLs, labels, splits, reasons."""
    from webemo_curate.releases.release import release as write

    released = write(call.workspace, folder, call.config().export, remove or ())
    call.end(released.summary(), then=f"rebuild {shlex.quote(str(folder))} --check-only")
    call.answer(**asdict(released))


@command(
    "rebuild",
    *("rebuild", *POLITELY, *PROCESSES),
    examples=(
        "rebuild my-set --workspace theirs",
        "rebuild my-set --accept same_pixels,re_encoded --workspace theirs",
    ),
    keeps=True,
)
def rebuild(
    call: Call,
    folder: Annotated[Path, typer.Argument(help="A release.")],
    check_only: Annotated[
        bool, typer.Option("--check-only", help="Say what has changed; keep no picture.")
    ] = False,
    pictures: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR|TABLE",
            help="Pictures that you have: found by content, not asked for; local files need it.",
        ),
    ] = None,
) -> None:
    """Fetch a released set, compare every picture by content, write its splits."""
    from webemo_curate.releases.rebuild import own_split
    from webemo_curate.releases.rebuild import rebuild as bring_back
    from webemo_curate.releases.shares import share_lines

    rebuilt = bring_back(folder, call.work(), check_only=check_only, pictures=pictures)
    for outcome, images in rebuilt.outcomes.items():
        print(f"  {outcome:<13}{images:>9,}")
    for status, images in rebuilt.dead.items():
        print(f"    {status:<11}{images:>9,}")
    if rebuilt.local:
        print(
            f"  {rebuilt.local:,} of the dead were local files, which no URL gives: if you have "
            "them, name their folder or table with --pictures"
        )
    for line in share_lines(rebuilt.shares):
        print(line)
    again = f"rebuild {shlex.quote(str(folder))}"
    if pictures:
        again += f" --pictures {shlex.quote(str(pictures))}"
    # Over a set of its own nothing is rebuilt, and nothing is trained on an empty one.
    compared = None if own_split(call.workspace) else again
    call.end(lies=rebuilt.report, then="train-model" if rebuilt.entered else compared)
    call.answer(**asdict(rebuilt))
