"""One collection of drawn pictures in every form that goes in, and its way to the splits."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from tests.stages.tables import manifest
from webemo_curate.config import (
    BinarizeConfig,
    DecodingConfig,
    DedupConfig,
    FetchConfig,
    ImagesConfig,
    ListingConfig,
    MatchingConfig,
    SplitConfig,
    UndersampleConfig,
)
from webemo_curate.manifest import empty_table
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.binarize import BinarizeStage
from webemo_curate.stages.dedup import DedupStage
from webemo_curate.stages.fetch import FetchStage
from webemo_curate.stages.images import ImagesStage
from webemo_curate.stages.listing import ListingStage
from webemo_curate.stages.pairs import PairsStage
from webemo_curate.stages.split import SplitStage
from webemo_curate.stages.stage import Stage, StageContext
from webemo_curate.stages.undersample import UndersampleStage
from webemo_curate.workspace import Workspace

Tables = dict[str, pa.Table]
HOST = "http://photos.example/"


def picture(seed: int) -> bytes:
    """Return a small PNG of noise: like no other."""
    pixels = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@dataclass(frozen=True)
class Collection:
    """Pictures below a folder, by their file's name, with one label or several each."""

    folder: Path
    labels: dict[str, list[str]]

    @classmethod
    def draw(cls, folder: Path, labels: Sequence[str | list[str]], copies: int = 0) -> "Collection":
        """Draw a picture for each label or list of labels; the first ones again as copies."""
        drawn = [[label] if isinstance(label, str) else label for label in labels]
        names = {f"{number:03}.png": given for number, given in enumerate(drawn)}
        (folder / "flat").mkdir(parents=True)
        for number, name in enumerate(names):
            (folder / "flat" / name).write_bytes(picture(number))
        for name in list(names)[:copies]:
            names[f"copy{name}"] = names[name]
            (folder / "flat" / f"copy{name}").write_bytes((folder / "flat" / name).read_bytes())
        return cls(folder, names)

    @property
    def flat(self) -> Path:
        """Where the pictures lie."""
        return self.folder / "flat"

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A table's rows, the labels as lists."""
        return [{"file": f"flat/{n}", "label": labels} for n, labels in self.labels.items()]

    def as_lists(self, *, names: bool = False, taxonomy: Any = None) -> Path:
        """Write a list of URLs, with indexes or names."""
        file = self.folder / "list.txt"
        label = (lambda name: name) if names else taxonomy.labels.index
        lines = [
            f"{HOST}{name} {label(value)}\n"
            for name, values in self.labels.items()
            for value in values
        ]
        file.write_text("".join(lines))
        return file

    def as_csv(self) -> Path:
        """Write it as a table of commas."""
        file = self.folder / "table.csv"
        with file.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, ["file", "label"])
            writer.writeheader()
            writer.writerows(row | {"label": ";".join(row["label"])} for row in self.rows)
        return file

    def as_jsonl(self) -> Path:
        """Write it as JSON lines."""
        file = self.folder / "table.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in self.rows))
        return file

    def as_parquet(self) -> Path:
        """Write it as Parquet."""
        file = self.folder / "table.parquet"
        pq.write_table(pa.Table.from_pylist(self.rows), file)
        return file

    def as_hugging_face(self) -> Path:
        """Write it as the hub does: the pictures' bytes, and labels by number."""
        names = sorted({label for labels in self.labels.values() for label in labels})
        image = [{"bytes": (self.flat / n).read_bytes(), "path": n} for n in self.labels]
        label = [[*map(names.index, labels)] for labels in self.labels.values()]
        several = {"_type": "Sequence", "feature": {"_type": "ClassLabel", "names": names}}
        features = {"image": {"_type": "Image"}, "label": several}
        document = json.dumps({"info": {"features": features}}).encode()
        table = pa.table({"image": image, "label": pa.array(label, pa.list_(pa.int64()))})
        file = self.folder / "hub" / "data" / "train-00000-of-00001.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table.replace_schema_metadata({b"huggingface": document}), file)
        return self.folder / "hub"

    def as_folders(self) -> Path:
        """Put it into a folder a label."""
        place = self.folder / "by_label"
        for name, label in [(n, label) for n, labels in self.labels.items() for label in labels]:
            (place / label).mkdir(parents=True, exist_ok=True)
            (place / label / name).write_bytes((self.flat / name).read_bytes())
        return place


def splits(
    workspace: Path, listing: ListingConfig, binarize: BinarizeConfig, **fetch: Any
) -> Tables:
    """Run all stages but the text filter, which takes every picture as clean."""
    place = Workspace(workspace)
    context = StageContext(place, LocalRunner(1), "made up")
    tables: Tables = {}
    before: list[Stage[Any]] = [
        ListingStage(listing),
        FetchStage(FetchConfig(**fetch), DecodingConfig(), listing),
        ImagesStage(ImagesConfig(), DecodingConfig()),
    ]
    for stage in before:
        tables |= stage.run(tables, context)
    names = tables["images"]["sha256"].to_pylist()
    tables["text"] = manifest("text", [{"sha256": name} for name in names])
    tables["features"] = empty_table("features")
    after: list[Stage[Any]] = [
        PairsStage(MatchingConfig(perceptual=False), DecodingConfig()),
        DedupStage(DedupConfig(perceptual=False)),
        BinarizeStage(binarize, listing.taxonomy),
        UndersampleStage(UndersampleConfig(positive_fraction=0.5)),
        SplitStage(SplitConfig(ratios=(50, 25, 25))),
    ]
    for stage in after:
        tables |= stage.run(tables, context)
    return tables


def told_of(tables: Tables) -> dict[str, list[tuple[str, int]]]:
    """Return hashes and targets of each split."""
    return {
        split: sorted(
            zip(*tables[split].select(["sha256", "target"]).to_pydict().values(), strict=True)
        )
        for split in ("train", "validation", "test")
    }
