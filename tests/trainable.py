"""A small workspace of drawn pictures with split manifests, ready to train on."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import yaml
from PIL import Image

from webemo_curate.config import TrainConfig
from webemo_curate.manifest import Origin
from webemo_curate.verdicts import DEFAULT_CLASSES
from webemo_curate.workspace import Workspace, image_path

SIZES = {"train": 16, "validation": 6, "test": 6}
COLORS = ((220, 180, 80), (40, 50, 90), (60, 200, 60), (240, 240, 240))
"""By target."""

TINY = TrainConfig(
    backbone="test_efficientnet",
    weights_tag="r160_in1k",
    tap="block3a",
    grams=1,
    image_size=32,
    epochs=2,
    batch_size=8,
    accumulate=1,
    from_scratch=True,
    device="cpu",
)


def draw(path: Path, target: int, generator: np.random.Generator) -> str:
    """Draw noise around a cold, dark color for sadness and a warm, light one for others.

    Further classes are green and white. Returns the file's SHA-256.
    """
    center = COLORS[target]
    pixels = np.clip(generator.normal(center, 30, (40, 40, 3)), 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def draw_set(folder: Path, images: int = 4) -> Path:
    """Draw a folder-per-emotion set, as many images of sadness as of joy."""
    generator = np.random.default_rng(len(folder.name))
    for index in range(images):
        draw(folder / "sadness" / f"{index}.png", 1, generator)
        draw(folder / "joy" / f"{index}.png", 0, generator)
    return folder


def make_workspace(
    root: Path,
    classes: tuple[str, ...] = DEFAULT_CLASSES,
    sizes: Mapping[str, int] = MappingProxyType(SIZES),
) -> Workspace:
    """Draw splits of warm pictures, target 0, cold ones, target 1, and further classes."""
    place = Workspace(root)
    generator = np.random.default_rng(0)
    for split, size in sizes.items():
        rows = []
        for index in range(size):
            target = index % len(classes)
            label = classes[target] if len(classes) > 2 else ("zest", "sadness")[target]
            sha256 = draw(place.root / "drawn.png", target, generator)
            path = image_path(sha256, ".png")
            (place.root / path).parent.mkdir(parents=True, exist_ok=True)
            (place.root / "drawn.png").rename(place.root / path)
            rows.append(
                {
                    "path": path,
                    "sha256": sha256,
                    "target": target,
                    "label": label,
                    "labels": [label],
                    "group": f"{split}{index}",
                    "width": 40,
                    "height": 40,
                    "url": f"https://pictures.example/{split}{index}.png",
                }
            )
        place.write(split, pa.Table.from_pylist(rows), Origin("split", 1, {}, {}), classes)
    return place


def write_experiment(folder: Path, config: TrainConfig = TINY, **changes: object) -> Path:
    """Write an experiment file of two networks, an epoch and two seeds each."""
    common = config.model_dump(mode="json", exclude={"grams", "seeds"}, exclude_unset=True)
    document = {
        "baseline": "k0",
        "common": common | {"epochs": 1, "seeds": 2},
        "networks": {"k0": {"grams": 0}, "k2": {"grams": 2}},
    }
    file = folder / "small.yaml"
    file.write_text(yaml.safe_dump(document | changes))
    return file
