"""The `curate` command: parse, build a configuration, call, print."""

import logging
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from webemo_curate.errors import CurateError, InputError
from webemo_curate.system_faults import raise_file_limit, raise_system_fault

# Everything else is imported by the command that needs it: `curate --help` must answer at once.

INTERRUPTED = 130
"""The shell's exit code for a command that Ctrl-C ended: 128 + SIGINT."""

app = typer.Typer(
    help="From a list of image URLs with emotion labels to an audited data set and a network.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

WorkspaceOption = Annotated[
    str, typer.Option("--workspace", help="Folder of manifests/ and data/, or s3://bucket/prefix.")
]
OnlyOption = Annotated[
    bool, typer.Option("--only", help="Run this stage alone, whatever is stale above it.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say which stages would run and why; run none.")
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers", help="Worker processes; default: the CPU cores, or what a GPU has room for."
    ),
]
EngineOption = Annotated[
    Literal["local", "ray"] | None,
    typer.Option("--engine", "--run-on", help="Processes here, or actors of a Ray cluster."),
]
RunOnOption = Annotated[
    Literal["local", "ray"] | None,
    typer.Option("--run-on", help="Processes here, or actors of a Ray cluster."),
]
RayOption = Annotated[
    list[str] | None,
    typer.Option(
        "--ray",
        metavar="KEY=VALUE",
        help="Of the cluster: address=HOST:PORT; of a worker: cpus=, gpus=, memory= (bytes).",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object as the last line of output.")
]
HERE = "."
RAY_KEYS = ("address", "cpus", "gpus", "memory")

Sections = dict[str, dict[str, Any]]
"""Options given, by section of the configuration; None where one was not."""


def main() -> None:
    """Run the command; errors become one message and their exit code."""
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("webemo_curate").setLevel(logging.INFO)
    raise_file_limit()
    try:
        app()
    except CurateError as error:
        typer.echo(f"curate: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        _end_if_lacking(error)
        raise
    except KeyboardInterrupt:
        typer.echo(
            "curate: stopped; finished work is kept: the same command goes on from here", err=True
        )
        sys.exit(INTERRUPTED)


def _end_if_lacking(error: Exception) -> None:
    """End with one message if an error that nobody expected is the machine's."""
    try:
        raise_system_fault(error, str(getattr(error, "filename", None) or ""))
    except CurateError as fault:
        typer.echo(f"curate: {fault}", err=True)
        sys.exit(fault.exit_code)


@app.command()
def fetch(
    lists: Annotated[
        list[Path] | None, typer.Option(help="List files, or folders of WEBEmo's lists.")
    ] = None,
    mirror: Annotated[
        str | None, typer.Option(help="URL whose scheme and host stand in for those listed.")
    ] = None,
    concurrency: Annotated[int | None, typer.Option(help="Connections at once per host.")] = None,
    rate: Annotated[float | None, typer.Option(help="Requests a second per host.")] = None,
    retries: Annotated[int | None, typer.Option(help="Further attempts after the first.")] = None,
    timeout: Annotated[
        float | None,
        typer.Option(help="Seconds for a URL's requests and the waits between them, in a pass."),
    ] = None,
    passes: Annotated[
        int | None,
        typer.Option(help="Times that what failed for the moment is asked for in a run."),
    ] = None,
    patience: Annotated[
        float | None,
        typer.Option(help="Seconds of nothing but failures until a host is given up in a pass."),
    ] = None,
    retry_status: Annotated[
        str | None,
        typer.Option(help="Try URLs of these outcomes again, such as '404,timeout'."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="Take N distinct URLs, in the order of a hash of the URL.")
    ] = None,
    contact: Annotated[
        str | None, typer.Option(help="Address that the User-Agent names for complaints.")
    ] = None,
    ignore_robots: Annotated[
        bool | None,
        typer.Option("--ignore-robots/--heed-robots", help="robots.txt and X-Robots-Tag."),
    ] = None,
    allow_private: Annotated[
        bool | None,
        typer.Option("--allow-private/--refuse-private", help="Redirects to private addresses."),
    ] = None,
    workspace: WorkspaceOption = HERE,
    only: OnlyOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Download every distinct URL of the lists once; record how each ended."""
    options = {
        "mirror": mirror,
        "concurrency": concurrency,
        "rate": rate,
        "retries": retries,
        "timeout": timeout,
        "passes": passes,
        "patience": patience,
        "retry_status": _listed(retry_status),
        "limit": limit,
        "contact": contact,
        "ignore_robots": ignore_robots,
        "allow_private": allow_private,
    }
    overrides: Sections = {"listing": {"lists": lists or None}, "fetch": options}
    _run_stages("fetch", overrides, workspace, only, dry_run, as_json)


@app.command("filter-text")
def filter_text(
    gpu: Annotated[
        bool | None, typer.Option("--gpu/--cpu", help="Where text is looked for; default: auto.")
    ] = None,
    engine: Annotated[
        Literal["auto", "easyocr", "rapidocr"] | None, typer.Option(help="Text engine.")
    ] = None,
    preset: Annotated[
        Literal["strict", "balanced", "lenient"] | None,
        typer.Option(help="How much evidence makes an image bear text."),
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Recognition confidence that counts, 0 to 1.")
    ] = None,
    min_area: Annotated[
        float | None, typer.Option(help="Fraction of the image that text must cover.")
    ] = None,
    short_side: Annotated[
        int | None, typer.Option(help="Pixels that images' short side is scaled to.")
    ] = None,
    second_side: Annotated[
        int | None,
        typer.Option(help="Look again at this short side where the first look confirms no text."),
    ] = None,
    drawn: Annotated[
        bool | None,
        typer.Option(
            "--drawn/--no-drawn",
            help="Look again for words drawn over photos where no text is confirmed; default: do.",
        ),
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images a GPU takes at a time.")] = None,
    models: Annotated[Path | None, typer.Option(help="Folder of EasyOCR's weight files.")] = None,
    workspace: WorkspaceOption = HERE,
    workers: WorkersOption = None,
    run_on: RunOnOption = None,
    ray: RayOption = None,
    only: OnlyOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Drop images that bear text, by OCR; a new threshold needs no second OCR."""
    options = {
        "device": None if gpu is None else ("gpu" if gpu else "cpu"),
        "engine": engine,
        "preset": preset,
        "threshold": threshold,
        "min_area": min_area,
        "short_side": short_side,
        "second_side": second_side,
        "drawn": drawn,
        "batch_size": batch_size,
        "models": models,
    }
    overrides: Sections = {"filter_text": options, "engine": _engine(run_on, ray)}
    _run_stages("text", overrides, workspace, only, dry_run, as_json, workers)


@app.command()
def dedup(
    distance: Annotated[
        int | None, typer.Option(help="Largest Hamming distance of two perceptual hashes.")
    ] = None,
    perceptual: Annotated[
        bool | None,
        typer.Option("--near/--exact-only", help="Find near duplicates, or equal pixels alone."),
    ] = None,
    crops: Annotated[
        bool | None,
        typer.Option("--crops/--no-crops", help="Find crops, captions and borders as well."),
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="Also mark what this folder or manifest shares with the images."),
    ] = None,
    workspace: WorkspaceOption = HERE,
    workers: WorkersOption = None,
    engine: EngineOption = None,
    ray: RayOption = None,
    only: OnlyOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find exact and near duplicates; keep one image of each cluster."""
    overrides: Sections = {
        "dedup": {"distance": distance, "perceptual": perceptual},
        "features": {"enabled": crops},
        "engine": _engine(engine, ray),
    }
    if against and dry_run:
        raise InputError("--against compares at once; leave out --dry-run")
    _run_stages("dedup", overrides, workspace, only, dry_run, as_json, workers, against)


@app.command()
def binarize(
    positive: Annotated[
        str | None, typer.Option(help="Label, emotion or polarity that is the target.")
    ] = None,
    level: Annotated[
        int | None, typer.Option(help="1: the 25 labels, 2: seven emotions, 3: polarity.")
    ] = None,
    conflicts: Annotated[
        Literal["drop", "positive", "majority"] | None,
        typer.Option(help="What becomes of a picture under labels of both classes."),
    ] = None,
    exclude: Annotated[
        str | None, typer.Option(help="Labels or emotions left out, such as 'surprise,confusion'.")
    ] = None,
    workspace: WorkspaceOption = HERE,
    engine: EngineOption = None,
    ray: RayOption = None,
    only: OnlyOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Turn labels into sadness (1) against others (0)."""
    options = {
        "positive": positive,
        "level": level,
        "conflicts": conflicts,
        "exclude": _listed(exclude),
    }
    overrides = {"binarize": options, "engine": _engine(engine, ray)}
    _run_stages("binarize", overrides, workspace, only, dry_run, as_json)


@app.command()
def undersample(
    positive_fraction: Annotated[
        float | None, typer.Option(help="Share of the positive class after the draw.")
    ] = None,
    size: Annotated[int | None, typer.Option(help="Images kept in all.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the draw.")] = None,
    workspace: WorkspaceOption = HERE,
    engine: EngineOption = None,
    ray: RayOption = None,
    only: OnlyOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Balance the classes by leaving out images of the larger one."""
    options = {"positive_fraction": positive_fraction, "size": size, "seed": seed}
    overrides = {"undersample": options, "engine": _engine(engine, ray)}
    _run_stages("undersample", overrides, workspace, only, dry_run, as_json)


@app.command()
def split(
    ratios: Annotated[
        str | None, typer.Option(help="train/validation/test, such as 80/10/10.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the division.")] = None,
    official: Annotated[
        bool | None,
        typer.Option("--official/--free", help="Keep WEBEmo's own test list as the test split."),
    ] = None,
    extend: Annotated[
        Path | None,
        typer.Option(help="Folder of an earlier split's manifests; its images stay in place."),
    ] = None,
    workspace: WorkspaceOption = HERE,
    engine: EngineOption = None,
    ray: RayOption = None,
    only: OnlyOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write the train, validation and test manifests, and the decisions on all that left."""
    options = {"ratios": _ratios(ratios), "seed": seed, "official": official, "extend": extend}
    # The decisions are the split's second half; alone, the split is what was asked for.
    target = "split" if only else "decisions"
    overrides = {"split": options, "engine": _engine(engine, ray)}
    _run_stages(target, overrides, workspace, only, dry_run, as_json)


@app.command("train-model")
def train_model(
    preset: Annotated[str | None, typer.Option(help="Named set of training options.")] = None,
    grams: Annotated[int | None, typer.Option(help="Gram modules; 0 is the baseline.")] = None,
    device: Annotated[Literal["auto", "cpu", "cuda"] | None, typer.Option()] = None,
    epochs: Annotated[int | None, typer.Option()] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images per step and device.")] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate for one device.")] = None,
    image_size: Annotated[int | None, typer.Option(help="Side of the square, pixels.")] = None,
    seeds: Annotated[int | None, typer.Option(help="Number of runs, a seed each.")] = None,
    seed: Annotated[int | None, typer.Option(help="The first run's seed.")] = None,
    resume: Annotated[
        bool | None, typer.Option("--resume/--no-resume", help="Go on with an unfinished run.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Backbone weights: safetensors or .pth.")
    ] = None,
    from_scratch: Annotated[
        bool | None, typer.Option("--from-scratch/--pretrained", help="Random first weights.")
    ] = None,
    tensorboard: Annotated[
        bool | None, typer.Option("--tensorboard", help="Write TensorBoard events too.")
    ] = None,
    workspace: WorkspaceOption = HERE,
    only: OnlyOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train the Gram-augmented EfficientNetV2 on the manifests."""
    options = {
        "preset": preset,
        "grams": grams,
        "device": device,
        "epochs": epochs,
        "batch_size": batch_size,
        "lr": lr,
        "image_size": image_size,
        "seeds": seeds,
        "seed": seed,
        "resume": resume,
        "weights": weights,
        "from_scratch": from_scratch,
        "tensorboard": tensorboard,
    }
    from webemo_curate import terminal

    terminal.train_model({"train": options}, workspace, only=only, as_json=as_json)


@app.command()
def pack(
    image_size: Annotated[int | None, typer.Option(help="Side of the square, pixels.")] = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Decode the images of all splits once, as train-model would at its start."""
    from webemo_curate import terminal

    terminal.pack({"train": {"image_size": image_size}}, workspace, as_json=as_json)


@app.command()
def evaluate(
    run: Annotated[
        str | None,
        typer.Argument(help="Name or folder of a run; default: all seeds of the latest."),
    ] = None,
    on: Annotated[
        str, typer.Option(help="validation, test, a manifest, or a folder a class.")
    ] = "test",
    all_seeds: Annotated[
        bool,
        typer.Option("--all-seeds", help="Also the runs that differ in their seed alone."),
    ] = False,
    exclude_shared: Annotated[
        bool,
        typer.Option("--exclude-shared", help="Leave out pictures that training has seen."),
    ] = False,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option()] = "auto",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Measure a run, or all seeds of a training, on a set; store per-image probabilities."""
    from webemo_curate import terminal

    terminal.evaluate(
        run,
        on,
        device,
        workspace,
        all_seeds=all_seeds,
        exclude_shared=exclude_shared,
        as_json=as_json,
    )


@app.command()
def experiment(
    file: Annotated[Path, typer.Argument(help="An experiment file, such as pipelines/paper.yaml.")],
    test_set: Annotated[
        list[Path] | None,
        typer.Option(help="Folder or manifest to measure on beside the file's; repeatable."),
    ] = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Train several networks over several seeds and say which differ significantly."""
    from webemo_curate import terminal

    terminal.experiment(file, test_set or [], workspace, as_json=as_json)


@app.command()
def predict(
    run: Annotated[str, typer.Argument(help="Name or folder of a run.")],
    images: Annotated[list[Path], typer.Argument(help="Image files.")],
    figure: Annotated[
        Path | None, typer.Option(help="PNG file to draw the captioned pictures into.")
    ] = None,
    grad_cam: Annotated[
        bool, typer.Option("--grad-cam", help="In the figure, show where the network looked.")
    ] = False,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option()] = "auto",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Print class and probability of images; draw them in a row."""
    from webemo_curate import terminal

    if grad_cam and not figure:
        raise InputError("--grad-cam: give --figure FILE.png, in which it is drawn")
    terminal.predict(
        run, images, device, workspace, figure=figure, grad_cam=grad_cam, as_json=as_json
    )


@app.command("export-model")
def export_model(
    run: Annotated[str, typer.Argument(help="Name or folder of a run.")],
    folder: Annotated[Path, typer.Argument(help="Folder for the files.")],
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Write a network as ONNX and torch.export files, with a model card."""
    from webemo_curate import terminal

    terminal.export_model(run, folder, workspace, as_json=as_json)


@app.command("run")
def run_pipeline(
    pipeline: Annotated[Path, typer.Argument(help="A pipeline file.")],
    workspace: WorkspaceOption = HERE,
    engine: EngineOption = None,
    ray: RayOption = None,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a pipeline file from its lists to the trained network and the report."""
    from webemo_curate import terminal

    options: Sections = {"": {"workers": workers}, "engine": _engine(engine, ray)}
    terminal.run_pipeline(pipeline, workspace, options, as_json=as_json)


@app.command("add-folder")
def add_folder(
    folder: Annotated[Path, typer.Argument(help="Holds folders named by emotion.")],
    name: Annotated[str, typer.Option(help="Of the manifest, such as unbiasedemo.")],
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Make a folder-per-emotion set a manifest, to evaluate on or to hold against."""
    from webemo_curate import terminal

    terminal.add_folder(folder, name, workspace, as_json=as_json)


@app.command()
def status(workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """Show each stage's state and how many rows left where."""
    from webemo_curate import terminal

    terminal.status(workspace, as_json=as_json)


@app.command()
def verify(
    workspace: WorkspaceOption = HERE,
    files: Annotated[
        bool, typer.Option("--files/--no-files", help="Also re-hash every stored image.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Check that every listed row is accounted for once and nothing was changed since."""
    from webemo_curate import terminal

    if not terminal.verify(workspace, files=files, as_json=as_json):
        raise typer.Exit(CurateError.exit_code)


@app.command()
def report(workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """Write the HTML report on what is there."""
    from webemo_curate import terminal

    terminal.report(workspace, as_json=as_json)


def _run_stages(
    target: str,
    overrides: Sections,
    workspace: str,
    only: bool,
    dry_run: bool,
    as_json: bool,
    workers: int | None = None,
    against: list[Path] | None = None,
) -> None:
    from webemo_curate import terminal

    given = overrides | {"": {"workers": workers}}
    if dry_run:
        terminal.show_plan(target, given, workspace, as_json=as_json)
    else:
        terminal.run_stages(
            target, given, workspace, only=only, as_json=as_json, against=against or ()
        )


def _engine(kind: str | None, ray: list[str] | None) -> dict[str, Any]:
    """Read the options of the engine; their values are checked with the configuration."""
    options: dict[str, Any] = {"kind": kind}
    for text in ray or ():
        key, equals, value = text.partition("=")
        if not equals or key not in RAY_KEYS:
            raise InputError(f"--ray {text}: give one of {', '.join(RAY_KEYS)}, such as cpus=2")
        options[key] = value
    return options


def _listed(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def _ratios(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        train, validation, test = (float(part) for part in text.split("/"))
    except ValueError as error:
        raise InputError(f"--ratios {text}: give three numbers, such as 80/10/10") from error
    return [train, validation, test]
