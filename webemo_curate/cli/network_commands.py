"""Commands that train networks and use them."""

import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from webemo_curate.cli.call import Call
from webemo_curate.cli.command import RUNNER, command
from webemo_curate.errors import InputError
from webemo_curate.verdicts import BINARY

if TYPE_CHECKING:
    from webemo_curate.evaluation.predict import Prediction

RunArgument = Annotated[str, typer.Argument(help="Name or folder of a run.")]


ExcludeShared = Annotated[
    bool,
    typer.Option(
        "--exclude-shared",
        help="Leave out pictures that training has seen; siblings (another face or pose of "
        "one sitting) are other pictures and stay.",
    ),
]
AllowSeen = Annotated[
    bool,
    typer.Option("--allow-seen", help="Measure on a split also where training has seen some."),
]


@command(
    "train-model",
    "train",
    *RUNNER,
    examples=(
        "train-model --workspace mine",
        "train-model --weights model.safetensors --seeds 5 --name first --workspace mine",
        "train-model --from-scratch --epochs 2 --image-size 64 --workspace mine",
    ),
)
def train_model(
    call: Call,
    only: Annotated[
        bool, typer.Option("--only", help="Train alone, whatever is stale above it.")
    ] = False,
    name: Annotated[
        str | None, typer.Option(help="What the run is called; default: its folder's name.")
    ] = None,
) -> None:
    """Train the Gram-augmented EfficientNetV2 on the manifests."""
    # Of several processes that torchrun started, the first does everything but train alone.
    from webemo_curate.cli.show import as_dicts, show_stages
    from webemo_curate.evaluation.run_table import trained_line
    from webemo_curate.pipeline import Pipeline
    from webemo_curate.training.distributed import follows
    from webemo_curate.training.fit import check_training, train
    from webemo_curate.workspace import RUNS

    work = call.work()
    config = work.config
    if follows():
        train(config.train, work, name)
        return
    check_training(config.train, name)
    alone = only or call.workspace.is_rebuilt
    outcomes = [] if alone else show_stages(Pipeline(call.workspace, config).run())
    runs = train(config.train, work, name)
    call.remember("train")
    lines = [trained_line(run) for run in runs]
    call.end(*lines, lies=call.workspace.store.where(RUNS), then="evaluate --on test")
    call.answer(stages=as_dicts(outcomes), runs=as_dicts(runs))


@command("pack", "train.image_size", *RUNNER, looks=True, examples=("pack --workspace mine",))
def pack(call: Call) -> None:
    """Decode the images of all splits once, as train-model would at its start."""
    from webemo_curate.dataset.packed_files import PACKED
    from webemo_curate.training.fit import pack_splits

    work = call.work()
    counts = pack_splits(work.config.train, work)
    call.remember("train")
    said = ", ".join(f"{split} {count:,}" for split, count in counts.items())
    place = call.workspace.store.where(PACKED)
    call.end(f"{said} images packed", lies=place, then="train-model")
    call.answer(packed=counts)


@command(
    "evaluate",
    *("train.device", "listing.taxonomy", *RUNNER),
    looks=True,
    examples=(
        "evaluate --on test --workspace mine",
        "evaluate --on UnbiasedEmo --exclude-shared --workspace mine",
        "evaluate --all-seeds --json --workspace mine",
    ),
    keeps=False,
)
def evaluate(
    call: Call,
    run: Annotated[
        str | None,
        typer.Argument(help="Name or folder of a run; default: all seeds of the latest."),
    ] = None,
    on: Annotated[
        str, typer.Option(help="validation, test, a manifest, or a folder a class.")
    ] = "test",
    all_seeds: Annotated[
        bool, typer.Option("--all-seeds", help="Also the runs that differ in their seed alone.")
    ] = False,
    exclude_shared: ExcludeShared = False,
    allow_seen: AllowSeen = False,
) -> None:
    """Measure a run, or all seeds of a training, on a set; store per-image probabilities."""
    from webemo_curate.evaluation import evaluate as measuring
    from webemo_curate.evaluation import seeds
    from webemo_curate.runs import find_run

    found = find_run(run, call.workspace)
    folders = seeds.seeds_of(found, call.workspace) if all_seeds or run is None else [found]
    work, evaluations = call.work(), []
    chosen = {"exclude_shared": exclude_shared, "allow_seen": allow_seen}
    for folder in folders:
        evaluations.append(measuring.evaluate(folder, on, work, _device(call), **chosen))
        print(evaluations[-1].summary(), flush=True)
    document = evaluations[folders.index(found)].as_json()
    if len(evaluations) > 1:
        print(seeds.seeds_summary(evaluations))
        document |= {"seeds": [one.as_json() for one in evaluations]}
        document |= seeds.mean_and_deviation(evaluations)
    call.end(lies=evaluations[-1].predictions, then="report")
    call.answer(**document)


@command("experiment", *RUNNER, examples=("experiment pipelines/paper.yaml --workspace webemo",))
def experiment(
    call: Call,
    file: Annotated[Path, typer.Argument(help="An experiment file, such as pipelines/paper.yaml.")],
    test_set: Annotated[
        list[Path] | None,
        typer.Option(help="Folder or manifest to measure on beside the file's; repeatable."),
    ] = None,
) -> None:
    """Train several networks over several seeds and say which differ significantly."""
    # Of several processes that torchrun started, the first does everything but train alone.
    from webemo_curate.cli.show import as_dicts
    from webemo_curate.config import load_experiment
    from webemo_curate.experiments.run_experiment import (
        PAGE_FILE,
        follow_experiment,
        run_experiment,
    )
    from webemo_curate.training.distributed import follows

    config = load_experiment(file, test_set or ())
    if follows():
        follow_experiment(config, call.work())
        return
    result = run_experiment(config, file.stem, call.work())
    print((result.folder / PAGE_FILE).read_text(encoding="utf-8"))
    call.end(lies=result.folder, then="runs")
    comparisons = as_dicts(result.comparisons)
    call.answer(folder=str(result.folder), chosen=result.chosen, comparisons=comparisons)


@command(
    "predict",
    "train.device",
    looks=True,
    examples=(
        "predict paper-k3-seed0-1a2b3c4d holiday.jpg --workspace mine",
        "predict first *.jpg --figure answers.png --grad-cam --workspace mine",
    ),
)
def predict(
    call: Call,
    run: RunArgument,
    images: Annotated[list[Path], typer.Argument(help="Image files.")],
    figure: Annotated[
        Path | None, typer.Option(help="PNG file to draw the captioned pictures into.")
    ] = None,
    grad_cam: Annotated[
        bool, typer.Option("--grad-cam", help="In the figure, show where the network looked.")
    ] = False,
) -> None:
    """Print class and probability of images; draw them in a row."""
    from webemo_curate.evaluation import predict as predicting
    from webemo_curate.runs import find_run

    if grad_cam and not figure:
        raise InputError("--grad-cam: give --figure FILE.png, in which it is drawn")
    folder = find_run(run, call.workspace)
    max_pixels = call.work().max_pixels
    predictions = predicting.predict(
        folder, images, _device(call), look=grad_cam, max_pixels=max_pixels
    )
    for prediction in predictions:
        print(f"{prediction.label}\t{prediction.probability:.4f}\t{prediction.path}")
    if figure:
        from webemo_curate.report.prediction_row import draw_predictions

        draw_predictions(predictions, figure, max_pixels)
    counts = Counter(prediction.label for prediction in predictions)
    said = ", ".join(f"{images:,} {label}" for label, images in counts.most_common())
    call.say(
        f"{len(predictions):,} image{'' if len(predictions) == 1 else 's'}: {said}",
        lies=figure,
        then=f"export-model {shlex.quote(run)} network",
    )
    answers = [
        {"path": p.path, "label": p.label, "probability": p.probability} | _of_several(p)
        for p in predictions
    ]
    call.answer(predictions=answers)


@command("export-model", looks=True, examples=("export-model first network --workspace mine",))
def export_model(
    call: Call,
    run: RunArgument,
    folder: Annotated[Path, typer.Argument(help="Folder for the files.")],
) -> None:
    """Write a network as ONNX and torch.export files, with a model card."""
    from webemo_curate.evaluation.export_network import export_run
    from webemo_curate.runs import find_run

    export = export_run(find_run(run, call.workspace), folder)
    call.end(
        "Logits equal the network's",
        f"  ONNX          to {export.onnx_error:.1e}",
        f"  torch.export  to {export.program_error:.1e}",
        lies=export.folder,
        then=f"evaluate {shlex.quote(run)} --on test",
    )
    call.answer(**export._asdict())


def _of_several(prediction: "Prediction") -> dict[str, Any]:
    """Return the probability of each class where one does not say them all."""
    each = prediction.probabilities
    return {"probabilities": each} if len(each) > BINARY else {}


def _device(call: Call) -> str:
    """Return the device named for this command alone: training's is not taken for it."""
    return call.given["train"]["device"] or "auto"
