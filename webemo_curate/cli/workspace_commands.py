"""Commands on a workspace as a whole: run a pipeline file, look at it, check it, add to it."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from webemo_curate.cli.call import Call
from webemo_curate.cli.command import RUNNER, command
from webemo_curate.errors import CurateError, InputError
from webemo_curate.remedies import WRITERS


@command(
    "run",
    *RUNNER,
    examples=(
        "run pipelines/demo.yaml --workspace demo",
        "run pipelines/own-folder.yaml --workspace mine",
    ),
)
def run(call: Call, pipeline: Annotated[Path, typer.Argument(help="A pipeline file.")]) -> None:
    """Run a pipeline file from its lists to the trained network and the report."""
    from webemo_curate.cli.full_run import curate, train_and_report
    from webemo_curate.cli.show import as_dicts, show_funnel, show_stages
    from webemo_curate.cli.summary import closing_line
    from webemo_curate.config import load_pipeline, override
    from webemo_curate.pipeline import Pipeline
    from webemo_curate.runner.work_context import WorkContext

    config = override(load_pipeline(pipeline), call.given)
    outcomes = show_stages(curate(config, call.workspace))
    print(closing_line(outcomes))
    result = train_and_report(WorkContext(call.workspace, config))
    show_funnel(Pipeline(call.workspace, config))
    for evaluation in result.evaluations:
        print(evaluation.summary())
    if len(result.evaluations) > 1:
        from webemo_curate.evaluation.seeds import seeds_summary

        print(seeds_summary(result.evaluations))
    call.end(lies=result.report, then="runs")
    evaluations = [evaluation.as_json() for evaluation in result.evaluations]
    call.answer(stages=as_dicts(outcomes), evaluations=evaluations, report=str(result.report))


@command(
    "add-folder",
    "listing.taxonomy",
    "filter_text",
    *RUNNER,
    examples=(
        "add-folder UnbiasedEmo --name unbiasedemo --workspace mine",
        "add-folder UnbiasedEmo --name unbiasedemo --filter-text --workspace mine",
    ),
)
def add_folder(
    call: Call,
    folder: Annotated[Path, typer.Argument(help="Holds folders named by emotion.")],
    name: Annotated[str, typer.Option(help="Of the manifest, such as unbiasedemo.")],
    filter_text: Annotated[
        bool, typer.Option("--filter-text", help="Leave out what bears text, as filter-text does.")
    ] = False,
) -> None:
    """Make a folder-per-emotion set a manifest, to evaluate on or to hold against."""
    from webemo_curate.sources import added
    from webemo_curate.stages.set_text import text_verdicts

    if not folder.is_dir():
        what = "is a file; name its folder" if folder.exists() else "no such folder"
        raise InputError(f"{folder}: {what}")
    work = call.work()
    with call.workspace.lock(), work.running() as runner:
        filtering = partial(text_verdicts, work=work, runner=runner) if filter_text else None
        taken = added.add_folder(folder, name, work, filtering)
    for file, reason in taken.broken.items():
        print(f"{folder / file}: {reason}")
    call.end(taken.summary(), then=f"evaluate --on {name}")
    call.answer(**asdict(taken))


@command("taxonomy show", examples=("taxonomy show", "taxonomy show mikels8"))
def show_taxonomy(
    call: Call,
    name: Annotated[
        str | None,
        typer.Argument(help="A built-in taxonomy or a YAML file; none: which there are."),
    ] = None,
) -> None:
    """Show a label hierarchy, groups from the highest down."""
    from webemo_curate.taxonomies import BUILT_IN, load_taxonomy

    if name is None:
        titles = {known: load_taxonomy(known).title for known in BUILT_IN}
        for known, title in titles.items():
            print(f"{known:<12} {title}")
        call.answer(taxonomies=titles)
        return
    taxonomy = load_taxonomy(name)
    counts = [f"{len(taxonomy.classes(n))} {level}" for n, level in enumerate(taxonomy.levels, 1)]
    print(f"{taxonomy.title}\nlevels: {', '.join(counts)}\n\n{taxonomy.outline()}")
    call.answer(name=taxonomy.name, levels=taxonomy.levels, chains=taxonomy.chains)


@command("status", looks=True, examples=("status --workspace mine",))
def status(call: Call) -> None:
    """Show each stage's state and how many rows left where."""
    from webemo_curate.cli.show import show_funnel
    from webemo_curate.label_issues.doubt_stages import LabelIssuesStage, with_doubts
    from webemo_curate.likeness.map_stage import with_placed_map
    from webemo_curate.pipeline import Pipeline, build_stages

    # Doubts and the map are no part of a run: where they are, it is said whether they still hold.
    config, doubted = call.config(), call.workspace.has(LabelIssuesStage.name)
    build = with_doubts(build_stages) if doubted else build_stages
    build = with_placed_map(build, config, call.workspace)
    pipeline = Pipeline(call.workspace, config, stages=build)
    stages = dict(pipeline.status())
    for name, reason in stages.items():
        print(f"{name:<12} {'current' if reason is None else f'stale: {reason}'}")
    print()
    funnel = show_funnel(pipeline)
    rebuilt = call.workspace.is_rebuilt
    said = ["The splits were brought back from a release by 'curate rebuild'"] if rebuilt else []
    call.end(*said, then="train-model" if rebuilt else _next_after(stages))
    call.answer(stages=stages, funnel=funnel)


def _next_after(stages: Mapping[str, str | None]) -> str:
    """Return the command that brings the first stale stage up to date."""
    stale = next((name for name, reason in stages.items() if reason), None)
    return "train-model" if stale is None else WRITERS.get(stale, stale)


@command("verify", looks=True, examples=("verify --workspace mine", "verify --no-files"))
def verify(
    call: Call,
    files: Annotated[
        bool, typer.Option("--files/--no-files", help="Also re-hash every stored image.")
    ] = True,
) -> None:
    """Check that every listed row is accounted for once and nothing was changed since."""
    from webemo_curate import verification
    from webemo_curate.manifest_store import MANIFESTS

    problems = verification.verify(call.workspace, files=files, memory=call.config().memory)
    for problem in problems:
        print(problem)
    sound = "Everything adds up. Every listed row is accounted for, nothing was changed since."
    said = f"{len(problems)} problems." if problems else sound
    where = call.workspace.store.where(MANIFESTS)
    call.end(said, f"Checked: {where}", then="status" if problems else "report")
    call.answer(problems=problems)
    if problems:
        raise typer.Exit(CurateError.exit_code)


@command("report", looks=True, examples=("report --workspace mine", "report --open"))
def report(
    call: Call,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write the HTML report on what is there."""
    import webbrowser

    from webemo_curate.report.build import build_report
    from webemo_curate.report.next_steps import next_steps
    from webemo_curate.workspace import REPORT

    path = build_report(call.work())
    following = next_steps(call.workspace)[0]
    file = call.workspace.store.local(REPORT).absolute()
    opened = open_it and webbrowser.open(file.as_uri())
    said = "it opens in the browser" if opened else f"open {file} in a browser"
    call.end(f"The report is made: {said}", lies=path, then=following.command)
    call.answer(report=str(path))
