"""What commands do once they are parsed: run, and show on the terminal what came of it."""

import json
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from webemo_curate.accounting import split_counts
from webemo_curate.config import (
    Overrides,
    PipelineConfig,
    load_experiment,
    load_pipeline,
    override,
)
from webemo_curate.engine.choose import make_engine
from webemo_curate.full_run import curate, train_and_report
from webemo_curate.pipeline import Pipeline, StageOutcome
from webemo_curate.schemas import Split
from webemo_curate.summary import closing_line, funnel_lines, stage_line
from webemo_curate.verification import verify as verify_workspace
from webemo_curate.workspace import Workspace, open_workspace


def run_stages(
    target: str,
    overrides: Overrides,
    workspace: str,
    *,
    only: bool,
    as_json: bool,
    against: Sequence[Path] = (),
) -> None:
    """Run stages up to a target and show each; see `Pipeline.run`.

    Then tell what each set of `against` shares with the workspace; see `leakage.mark_shared`.
    """
    place = open_workspace(workspace)
    config = override(place.config(), overrides)
    outcomes = _show_stages(Pipeline(place, config).run(target, only=only))
    print(closing_line(outcomes))
    shared = _show_shared(against, place, config)
    _print_json(as_json, stages=_as_dicts(outcomes), shared=shared)


def show_plan(target: str, overrides: Overrides, workspace: str, *, as_json: bool) -> None:
    """Say which stages up to a target would run, and why; see `Pipeline.status`."""
    place = open_workspace(workspace)
    plan = {}
    for name, reason in Pipeline(place, override(place.config(), overrides)).status():
        plan[name] = reason
        print(f"{name:<12} {'is current' if reason is None else f'would run: {reason}'}")
        if name == target:
            break
    _print_json(as_json, plan=plan)


def train_model(overrides: Overrides, workspace: str, *, only: bool, as_json: bool) -> None:
    """Bring the manifests up to date, then train; see `training.fit.train`.

    Of several processes that torchrun started, the first does everything but train alone.
    """
    from webemo_curate.training.distributed import follows
    from webemo_curate.training.fit import train

    place = open_workspace(workspace)
    config = override(place.config(), overrides)
    if follows():
        train(config.train, place)
        return
    outcomes = [] if only else _show_stages(Pipeline(place, config).run())
    place.save_config(config)
    runs = train(config.train, place)
    for run in runs:
        print(f"{'current' if run.skipped else 'trained'}  {run.folder}")
    _print_json(as_json, stages=_as_dicts(outcomes), runs=_as_dicts(runs))


def pack(overrides: Overrides, workspace: str, *, as_json: bool) -> None:
    """Decode the splits' images ahead of training; see `training.fit.pack_splits`."""
    from webemo_curate.training.fit import pack_splits

    place = open_workspace(workspace)
    config = override(place.config(), overrides)
    place.save_config(config)
    counts = pack_splits(config.train, place)
    print(", ".join(f"{split} {count:,}" for split, count in counts.items()) + " images packed")
    _print_json(as_json, packed=counts)


def experiment(file: Path, test_sets: Sequence[Path], workspace: str, *, as_json: bool) -> None:
    """Train, measure and compare networks; see `experiments.run_experiment.run_experiment`.

    Of several processes that torchrun started, the first does everything but train alone.
    """
    from webemo_curate.experiments.run_experiment import (
        PAGE_FILE,
        follow_experiment,
        run_experiment,
    )
    from webemo_curate.training.distributed import follows

    config, place = load_experiment(file, test_sets), open_workspace(workspace)
    if follows():
        follow_experiment(config, place)
        return
    outcome = run_experiment(config, file.stem, place)
    print((outcome.folder / PAGE_FILE).read_text(encoding="utf-8"))
    print(f"Written to {outcome.folder}")
    _print_json(
        as_json,
        folder=str(outcome.folder),
        chosen=outcome.chosen,
        comparisons=_as_dicts(outcome.comparisons),
    )


def evaluate(
    run: str | None,
    on: str,
    device: str,
    workspace: str,
    *,
    all_seeds: bool,
    exclude_shared: bool,
    as_json: bool,
) -> None:
    """Measure a run, or all seeds of a training; see `evaluation.evaluate.evaluate`."""
    from webemo_curate.evaluation import evaluate as evaluation
    from webemo_curate.evaluation import seeds
    from webemo_curate.runs import find_run

    place = open_workspace(workspace)
    found = find_run(run, place)
    folders = seeds.seeds_of(found, place) if all_seeds or run is None else [found]
    evaluations = []
    for folder in folders:
        evaluations.append(
            evaluation.evaluate(folder, on, place, device, exclude_shared=exclude_shared)
        )
        print(evaluations[-1].summary(), flush=True)
    document = evaluations[folders.index(found)].as_json()
    if len(evaluations) > 1:
        print(seeds.seeds_summary(evaluations))
        document |= {"seeds": [one.as_json() for one in evaluations]}
        document |= seeds.mean_and_deviation(evaluations)
    _print_json(as_json, **document)


def predict(
    run: str,
    images: Sequence[Path],
    device: str,
    workspace: str,
    *,
    figure: Path | None,
    grad_cam: bool,
    as_json: bool,
) -> None:
    """Classify image files, and draw them if asked to; see `evaluation.predict.predict`."""
    from webemo_curate.evaluation.predict import predict as classify
    from webemo_curate.runs import find_run

    opened = open_workspace(workspace)
    max_pixels = opened.config().images.max_pixels
    folder = find_run(run, opened)
    predictions = classify(folder, images, device, look=grad_cam, max_pixels=max_pixels)
    for prediction in predictions:
        print(f"{prediction.label}\t{prediction.probability:.4f}\t{prediction.path}")
    if figure:
        from webemo_curate.report.prediction_row import draw_predictions

        draw_predictions(predictions, figure, max_pixels)
        print(f"Drawn: {figure}")
    answers = [
        {"path": p.path, "label": p.label, "probability": p.probability} for p in predictions
    ]
    _print_json(as_json, predictions=answers)


def export_model(run: str, folder: Path, workspace: str, *, as_json: bool) -> None:
    """Write a run's network for other programs; see `evaluation.export_network.export_run`."""
    from webemo_curate.evaluation.export_network import export_run
    from webemo_curate.runs import find_run

    export = export_run(find_run(run, open_workspace(workspace)), folder)
    print(f"Written to {export.folder}; logits equal the network's")
    print(f"  ONNX          to {export.onnx_error:.1e}")
    print(f"  torch.export  to {export.program_error:.1e}")
    _print_json(as_json, **export._asdict())


def run_pipeline(pipeline: Path, workspace: str, options: Overrides, *, as_json: bool) -> None:
    """Run a pipeline file to its report, and show funnel and metrics; see `full_run`."""
    place = open_workspace(workspace)
    config = override(load_pipeline(pipeline), options)
    outcomes = _show_stages(curate(config, place))
    print(closing_line(outcomes))
    result = train_and_report(config, place)
    _show_funnel(Pipeline(place, config))
    for evaluation in result.evaluations:
        print(evaluation.summary())
    if len(result.evaluations) > 1:
        from webemo_curate.evaluation.seeds import seeds_summary

        print(seeds_summary(result.evaluations))
    print(f"Report: {result.report}")
    evaluations = [evaluation.as_json() for evaluation in result.evaluations]
    _print_json(
        as_json, stages=_as_dicts(outcomes), evaluations=evaluations, report=str(result.report)
    )


def add_folder(folder: Path, name: str, workspace: str, *, as_json: bool) -> None:
    """Take a folder-per-emotion set into the workspace; see `sources.added.add_folder`."""
    from webemo_curate.sources.added import add_folder as take_in

    place = open_workspace(workspace)
    with place.lock():
        added = take_in(folder, name, place)
    for file, reason in added.broken.items():
        print(f"{folder / file}: {reason}")
    print(added.summary())
    _print_json(as_json, **asdict(added))


def status(workspace: str, *, as_json: bool) -> None:
    """Show each stage's state and the funnel."""
    place = open_workspace(workspace)
    pipeline = Pipeline(place, place.config())
    stages = dict(pipeline.status())
    for name, reason in stages.items():
        print(f"{name:<12} {'current' if reason is None else f'stale: {reason}'}")
    print()
    steps = _show_funnel(pipeline)
    _print_json(as_json, stages=stages, funnel=steps)


def verify(workspace: str, *, files: bool, as_json: bool) -> bool:
    """Check a workspace and show what is wrong; returns whether all is sound."""
    problems = verify_workspace(open_workspace(workspace), files=files)
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems." if problems else "Everything adds up.")
    _print_json(as_json, problems=problems)
    return not problems


def report(workspace: str, *, as_json: bool) -> None:
    """Write the HTML report; see `report.build.build_report`."""
    from webemo_curate.report.build import build_report

    place = open_workspace(workspace)
    path = build_report(place, place.config().report)
    print(f"Report: {path}")
    _print_json(as_json, report=str(path))


def _show_shared(sets: Sequence[Path], place: Workspace, config: PipelineConfig) -> dict[str, int]:
    if not sets:
        return {}
    from webemo_curate.leakage import mark_shared

    counts = {}
    with place.lock(), closing(make_engine(config)) as engine:
        for path in sets:
            shared = mark_shared(path, place, engine, config.dedup)
            print(shared.summary())
            counts[shared.name] = len(set(shared.matches["path"].to_pylist()))
    return counts


def _show_stages(outcomes: Iterable[StageOutcome]) -> list[StageOutcome]:
    shown = []
    for outcome in outcomes:
        print(stage_line(outcome), flush=True)
        shown.append(outcome)
    return shown


def _show_funnel(pipeline: Pipeline) -> list[dict[str, Any]]:
    read = pipeline.workspace.read
    splits = split_counts(read) if all(map(pipeline.workspace.has, Split)) else {}
    steps = pipeline.funnel()
    for line in funnel_lines(steps, splits):
        print(line)
    return _as_dicts(steps)


def _as_dicts(items: Iterable[Any]) -> list[dict[str, Any]]:
    return [asdict(item) for item in items]


def _print_json(wanted: bool, **document: Any) -> None:
    if wanted:
        print(json.dumps(document, default=str))
