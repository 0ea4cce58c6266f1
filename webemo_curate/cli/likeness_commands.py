"""The commands on likeness: the pictures most like one, and the map of all."""

from pathlib import Path
from typing import Annotated

import typer

from webemo_curate.cli.call import Call
from webemo_curate.cli.command import RUNNER, command


@command(
    "similar",
    "train.device",
    looks=True,
    examples=(
        "similar holiday.jpg --workspace mine",
        "similar holiday.jpg --run looks --workspace mine",
        "similar holiday.jpg --count 100 --json --workspace mine",
    ),
    keeps=False,
)
def similar(
    call: Call,
    image: Annotated[
        str,
        typer.Argument(
            help="An image file, or a picture of the workspace by its SHA-256 (8 digits or more)."
        ),
    ],
    count: Annotated[
        int, typer.Option("--count", metavar="N", min=1, help="How many are named.")
    ] = 20,
    run: Annotated[
        str | None,
        typer.Option(
            "--run",
            metavar="NAME",
            help="Run whose network's features are compared, or 'looks' for colors and texture; "
            "default: what placed the map, without a map the looks.",
        ),
    ] = None,
) -> None:
    """Name the pictures most like one, to a trained network or by color and texture; exact."""
    from webemo_curate.likeness.alike_pictures import alike
    from webemo_curate.likeness.map_stage import placed_by, placing_run

    asked = placing_run(run or placed_by(call.workspace), call.workspace)
    found = alike(image, count, call.work(), asked)
    for each in found:
        words = (f"{each.likeness:.4f}", each.label or "-", each.split or "-", each.path)
        print("\t".join(words))
    by = _said_by(asked)
    call.say(f"{len(found)} pictures {by}, the most alike first: likeness, label, split, path")
    call.answer(similar=[each._asdict() for each in found], by=asked.name if asked else None)


def _said_by(run: Path | None) -> str:
    return f"by the features of {run.name}" if run else "by color and texture"


@command(
    "map",
    *("map", "train.device", *RUNNER),
    examples=(
        "map --workspace mine",
        "map --run looks --workspace mine",
        "map --pictures 20000 --workspace mine",
    ),
)
def draw_map(call: Call) -> None:
    """Place the pictures on a map, those alike near each other; the report then shows it."""
    from webemo_curate.cli.show import as_dicts, show_stages
    from webemo_curate.cli.summary import closing_line
    from webemo_curate.likeness.map_stage import MapStage, placing_run, with_map
    from webemo_curate.pipeline import Pipeline, build_stages

    config, name = call.config(), MapStage.name
    run = placing_run(config.map.run, call.workspace)
    pipeline = Pipeline(call.workspace, config, stages=with_map(build_stages, run))
    outcomes = show_stages(pipeline.run(name, only=True))
    lies = call.workspace.where(name)
    placed = f"{outcomes[-1].rows[name]:,} pictures placed {_said_by(run)}"
    call.end(closing_line(outcomes), placed, lies=lies, then="report --open")
    call.answer(stages=as_dicts(outcomes), by=run.name if run else None)
