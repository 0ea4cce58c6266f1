"""Commands that show what a training would do, and train nothing."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from webemo_curate.cli.call import Call
from webemo_curate.cli.command import command
from webemo_curate.errors import InputError

if TYPE_CHECKING:
    from webemo_curate.config import TrainConfig
    from webemo_curate.models.network_description import Description

COMPARED_GRAMS = range(6)
"""k of the networks whose cost is compared; the paper trains 0 and 2 to 5."""


@command(
    "describe-model",
    "train",
    examples=("describe-model --workspace mine", "describe-model --grams 4 --steps 0"),
)
def describe_model(
    call: Call,
    steps: Annotated[
        int, typer.Option(min=0, help="Training steps that are timed of each network; 0: none.")
    ] = 3,
    images: Annotated[int, typer.Option(min=2, help="Images a timed step.")] = 4,
) -> None:
    """Print a network's stages and blocks, and what it costs beside k = 0 to 5, S and Zhang's."""
    from webemo_curate.models.devices import choose_device
    from webemo_curate.models.network_description import describe
    from webemo_curate.training.step_cost import step_seconds

    config = call.config().train
    own, networks = describe(config), _compared(config)
    described = {name: describe(settings) for name, settings in networks.items()}
    device = choose_device(config.device)
    seconds = step_seconds(networks, images, steps, device) if steps else {}
    costs = _costs(described, seconds)
    print(_page(own, costs, f"{images} images a step on {device}"))
    call.end(then="train-model")
    call.answer(**asdict(own), costs=costs)


@command(
    "show-augmentation",
    "train",
    looks=True,
    examples=("show-augmentation photo.jpg --draws 8 --to augmentation.png --workspace mine",),
)
def show_augmentation(
    call: Call,
    images: Annotated[list[Path], typer.Argument(help="Image files.")],
    draws: Annotated[int, typer.Option(min=1, max=100, help="Augmented pictures an image.")] = 5,
    to: Annotated[Path, typer.Option(help="PNG file to draw into.")] = Path("augmentation.png"),
) -> None:
    """Draw each image beside what training would see of it, epoch by epoch."""
    from webemo_curate.report.augmentation_sheet import draw_augmentations

    for image in images:
        if not image.is_file():
            what = "is a folder; name its files" if image.is_dir() else "no such image file"
            raise InputError(f"{image}: {what}")
    work = call.work()
    draw_augmentations(images, draws, work.config.train, work.max_pixels, to)
    call.end(f"{len(images)} images, {draws} augmented pictures each", lies=to, then="train-model")
    call.answer(figure=str(to), images=[str(image) for image in images], draws=draws)


def _compared(config: "TrainConfig") -> dict[str, "TrainConfig"]:
    """Return the networks whose costs stand beside each other, by name."""
    from webemo_curate.config import TrainConfig

    networks = {
        f"k = {grams}": config.model_copy(update={"network": "gram", "grams": grams})
        for grams in COMPARED_GRAMS
    }
    large = {"network": "gram", "backbone": "tf_efficientnetv2_s", "grams": 0, "tap": "block3b"}
    networks["S, k = 0"] = config.model_copy(update=large)
    networks["Zhang et al."] = TrainConfig(preset="zhang")
    return networks


def _costs(described: dict[str, "Description"], seconds: dict[str, float]) -> list[dict[str, Any]]:
    """Return a row a network, with shares of the baseline's cost; None where not timed."""
    base = next(iter(described))
    return [
        {
            "network": name,
            "parameters": own.parameters,
            "flops": own.flops,
            "flops_of_baseline": own.flops / described[base].flops,
            "step_seconds": seconds.get(name),
            "step_of_baseline": seconds[name] / seconds[base] if seconds else None,
        }
        for name, own in described.items()
    ]


def _page(own: "Description", costs: list[dict[str, Any]], timed: str) -> str:
    from webemo_curate.evaluation.markdown import NOTHING, table

    stages = [
        [str(row.stage), row.operation, str(row.stride or NOTHING), *map(str, row.size)]
        for row in own.rows
    ]
    blocks = [f"- {name}: {', '.join(layers)}" for name, layers in own.blocks.items()]
    lines = [
        [
            row["network"],
            f"{row['parameters']:,}",
            f"{row['flops'] / 1e9:.3f}",
            f"{row['flops_of_baseline']:.3f}",
            f"{row['step_seconds']:.3f}" if row["step_seconds"] else NOTHING,
            f"{row['step_of_baseline']:.2f}" if row["step_of_baseline"] else NOTHING,
        ]
        for row in costs
    ]
    header = ["network", "parameters", "GFLOPs an image", "of k = 0", "s a step", "of k = 0"]
    return "\n".join(
        [
            f"{own.title}: {own.parameters:,} parameters, {own.flops / 1e9:.3f} GFLOPs an image\n",
            table(["stage", "operation", "stride", "channels", "layers"], stages),
            *blocks,
            f"\nCost ({timed}; Zhang et al.'s at 224 px):\n",
            table(header, lines),
        ]
    )
