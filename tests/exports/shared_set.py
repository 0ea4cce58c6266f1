"""A workspace of drawn pictures with the manifests of all stages, made without running OCR."""

import hashlib
from dataclasses import dataclass

import pyarrow as pa

from tests.download.site import picture
from tests.stages.corpus import run_stage
from tests.stages.tables import listing, manifest
from webemo_curate.config import BinarizeConfig, SplitConfig, UndersampleConfig
from webemo_curate.departures import decide
from webemo_curate.duplicates.perceptual import picture_hashes
from webemo_curate.gates import gates_of
from webemo_curate.imaging import read_looks
from webemo_curate.manifest import Origin
from webemo_curate.stages.binarize import BinarizeStage
from webemo_curate.stages.split import SplitStage
from webemo_curate.stages.undersample import UndersampleStage
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace, image_path

LABELS = ("sadness", "zest", "suffering", "pride", "sadness")
KINDS = {"JPEG": ".jpg", "PNG": ".png"}
POSITIVE = 0.6
"""Share of the labels that are of sadness: nothing is surplus."""

HOST = "http://photos.example"
TEXT_FROM, TWIN_FROM = 40, 44
"""Pictures from the one number on bear text; those from the other to `PICTURES` are twins."""

PICTURES = 48
TWICE = 7
"""Number of the picture that a second URL serves too."""

SECOND_URL = f"{HOST}/second.jpg"


@dataclass(frozen=True)
class Drawn:
    """A picture of the set."""

    number: int
    content: bytes
    suffix: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def url(self) -> str:
        return f"{HOST}/{self.number}{self.suffix}"

    @property
    def path(self) -> str:
        return image_path(self.sha256, self.suffix)

    @property
    def label(self) -> str:
        shown = self.number - TWIN_FROM if _is_twin(self) else self.number
        return LABELS[shown % len(LABELS)]


def drawn(pictures: int = PICTURES) -> list[Drawn]:
    kinds = list(KINDS.items())
    return [
        Drawn(number, picture(number, kinds[number % 3 == 0][0]), kinds[number % 3 == 0][1])
        for number in range(pictures)
    ]


def fill(workspace: Workspace, pictures: list[Drawn] | None = None) -> Workspace:
    """Store pictures and write what every stage would have said of them."""
    pictures = drawn() if pictures is None else pictures
    for one in pictures:
        workspace.store_image(one.content, one.suffix)
    workspace.settle()
    tables = _described(pictures)
    stages = (
        BinarizeStage(BinarizeConfig()),
        UndersampleStage(UndersampleConfig(positive_fraction=POSITIVE)),
        SplitStage(SplitConfig(ratios=(60, 20, 20))),
    )
    for stage in stages:
        tables = run_stage(stage, tables, workspace)
    classes = {str(split): ("others", "sadness") for split in Split}
    for name, table in tables.items():
        workspace.write(name, table, Origin(name, 1, {}, {}), classes.get(name))
    left = decide(workspace.read, workspace.root, gates_of(tables))
    workspace.write("decisions", left, Origin("decisions", 1, {}, {}))
    return workspace


def _described(pictures: list[Drawn]) -> dict[str, pa.Table]:
    lines = [{"url": one.url, "label": one.label} for one in pictures]
    second = next(one for one in pictures if one.number == TWICE)
    gone = {"url": f"{HOST}/gone.jpg", "label": "zest"}
    lines.append({"url": SECOND_URL, "label": second.label})
    fetched = [
        {
            "url": one.url,
            "sha256": one.sha256,
            "suffix": one.suffix,
            "bytes": len(one.content),
            "status": "local" if one.url.startswith("file:") else "ok",
        }
        for one in pictures
    ]
    fetched.append(fetched[TWICE] | {"url": SECOND_URL, "status": "ok"})
    lost = {"url": gone["url"], "status": "not_found", "http_status": 404}
    lost |= {"suffix": None, "bytes": None}
    return {
        "listing": listing([*lines, gone]),
        "fetch": manifest("fetch", [*fetched, lost]),
        "images": manifest("images", [_image(one) for one in pictures]),
        "text": manifest("text", [_text(one) for one in pictures]),
        "duplicates": manifest(
            "duplicates", [_member(one, pictures) for one in pictures if not _bears_text(one)]
        ),
    }


def _is_twin(one: Drawn) -> bool:
    return TWIN_FROM <= one.number < PICTURES


def _bears_text(one: Drawn) -> bool:
    return TEXT_FROM <= one.number < TWIN_FROM


def _image(one: Drawn) -> dict[str, object]:
    looks = read_looks(one.content, 10**6)
    ((phash, mirrored),) = picture_hashes([looks.frame.picture]).tolist()
    return {
        "sha256": one.sha256,
        "path": one.path,
        "bytes": len(one.content),
        "format": looks.frame.format.name,
        "width": looks.frame.picture.width,
        "height": looks.frame.picture.height,
        "mode": "RGB",
        "pixel_hash": looks.pixel_hash,
        "phash": phash,
        "phash_mirrored": mirrored,
    }


def _text(one: Drawn) -> dict[str, object]:
    if not _bears_text(one):
        return {"sha256": one.sha256}
    box = {
        "polygon": [2.0, 3.0, 14.0, 3.0, 14.0, 9.0, 2.0, 9.0],
        "score": 0.9,
        "text": "Jane Doe",
        "confidence": 0.97,
        "area": 0.125,
        "agreed": 0.8,
        "drawn": True,
        "frame": 0,
        "support": None,
        "periodic": 0.0,
    }
    return {
        "sha256": one.sha256,
        "boxes": [box],
        "score": 0.97,
        "area": 0.125,
        "text": "Jane Doe",
        "threshold": 0.6,
        "verdict": "text",
    }


def _member(one: Drawn, pictures: list[Drawn]) -> dict[str, object]:
    keeper = pictures[one.number - TWIN_FROM] if _is_twin(one) else one
    row = {"sha256": one.sha256, "cluster": keeper.sha256, "matched": keeper.sha256}
    row["group"] = keeper.sha256
    if keeper is one:
        return row
    found = {"keeper": False, "method": "phash", "distance": 4.0, "threshold": 10.0}
    return row | found | {"correlation": 0.99, "verdict": "near_duplicate"}
