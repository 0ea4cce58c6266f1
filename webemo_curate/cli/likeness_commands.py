"""The command that finds pictures by likeness."""

from typing import Annotated

import typer

from webemo_curate.cli.call import Call
from webemo_curate.cli.command import command


@command(
    "similar",
    looks=True,
    examples=(
        "similar holiday.jpg --workspace mine",
        "similar holiday.jpg --count 100 --json --workspace mine",
    ),
)
def similar(
    call: Call,
    image: Annotated[
        str, typer.Argument(help="An image file, or the SHA-256 of a picture of the workspace.")
    ],
    count: Annotated[
        int, typer.Option("--count", metavar="N", min=1, help="How many are named.")
    ] = 20,
) -> None:
    """Name the pictures that look most like one, by color and texture; exact, needs no training."""
    from webemo_curate.likeness.alike_pictures import alike

    found = alike(image, count, call.work())
    for each in found:
        words = (f"{each.likeness:.4f}", each.label or "-", each.split or "-", each.path)
        print("\t".join(words))
    call.say(f"{len(found)} pictures, the most alike first: likeness, label, split, path")
    call.answer(similar=[each._asdict() for each in found])
