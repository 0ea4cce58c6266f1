"""Commands on finished runs beside each other."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

import typer

from webemo_curate.cli.call import Call
from webemo_curate.cli.command import command

SortBy = Literal["finished", "name", "network", "validation", "test", "auc", "seed", "epochs"]
LINE = "{:<34} {:<14} {:>6} {:>6}  {:<23} {:<23} {:>6}  {:<8}  {}"


@command(
    "runs list",
    looks=True,
    examples=("runs --workspace mine", "runs --sort test --network zhang", "runs --json"),
)
def list_runs(
    call: Call,
    sort: Annotated[SortBy, typer.Option(help="By what; the highest or latest last.")] = "finished",
    name: Annotated[str | None, typer.Option(help="Only runs with this in their name.")] = None,
    network: Annotated[
        str | None, typer.Option(help="Only runs with this in their network.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Only runs of the training split of this digest.")
    ] = None,
) -> None:
    """List the finished runs: network, epochs, seed, accuracies with interval, split, date."""
    from webemo_curate.evaluation.run_table import interval, run_rows

    rows = [
        row
        for row in run_rows(call.workspace)
        if (name or "") in row.name
        and (network or "") in row.network
        and row.split.startswith(split or "")
    ]
    rows.sort(key=lambda row: _order(getattr(row, sort)))
    head = ("run", "network", "epochs", "seed", "validation", "test", "AUC", "split", "finished")
    print(LINE.format(*head))
    for row in rows:
        print(
            LINE.format(
                *(row.name, row.network, row.epochs, row.seed),
                *(interval(row.validation), interval(row.test)),
                *("-" if row.auc is None else f"{row.auc:.3f}", row.split or "-"),
                row.finished[:16],
            )
        )
    if not rows:
        print(f"No finished run. Next: {call.typed('train-model')}")
    call.answer(runs=[asdict(row) for row in rows])


def _order(value: Any) -> tuple[bool, Any]:
    """Return what a column is sorted by: what is not known comes first."""
    return (value is not None, value)


@command("runs compare", looks=True, examples=("runs compare first second --workspace mine",))
def compare_runs(
    call: Call,
    first: Annotated[str, typer.Argument(metavar="A", help="Name or folder of a run.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another.")],
) -> None:
    """Show the settings in which two runs differ, and the results of both."""
    from webemo_curate.evaluation.run_table import changed_settings, interval, run_row
    from webemo_curate.runs import find_run

    folders = [find_run(name, call.workspace) for name in (first, second)]
    rows = [run_row(folder) for folder in folders]
    print(f"{'':<24} {'A':<30} {'B'}")
    for name in ("name", "network", "seed", "split", "finished"):
        print(f"{name:<24} {getattr(rows[0], name)!s:<30} {getattr(rows[1], name)}")
    for name in ("validation", "test"):
        print(
            f"{name:<24} {interval(getattr(rows[0], name)):<30} {interval(getattr(rows[1], name))}"
        )
    differing = {name: (a, b) for name, a, b in changed_settings(*folders)}
    for name, (a, b) in differing.items():
        print(f"{'train.' + name:<24} {a!s:<30} {b}")
    if rows[0].split != rows[1].split:
        print("They were trained on different splits: their figures are not of the same images.")
    call.answer(runs=[asdict(row) for row in rows], settings=differing)
