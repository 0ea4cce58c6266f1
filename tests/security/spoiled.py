"""Sound files of every kind that the package reads, and the same spoiled at random."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from PIL import Image, ImageCms

from tests.imaging.drawn import MAX_PIXELS, animation, encode, picture
from tests.stages.tables import manifest
from webemo_curate.config import load_pipeline
from webemo_curate.dataset.packed_files import open_packed, write_packed
from webemo_curate.download.journal import Entry, Journal
from webemo_curate.download.outcome import FetchOutcome
from webemo_curate.errors import CurateError
from webemo_curate.imaging import DecodeError, check_body, choose_frame, read_looks
from webemo_curate.manifest import Origin, read_info, read_manifest
from webemo_curate.models.pretrained import read_weights
from webemo_curate.run_digests import changes
from webemo_curate.runs import load_classes, load_config, load_log
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore
from webemo_curate.table_digest import content_digest
from webemo_curate.training.state import Progress, load_state, save_state
from webemo_curate.verdicts import FetchStatus
from webemo_curate.workspace import Workspace

ODD_BYTES = (0, 1, 0x7F, 0x80, 0xFF)
ODD_TEXTS = (
    b"-1",
    b"1e999",
    b"NaN",
    b"null",
    b"[]",
    b"{}",
    b'"x"',
    b"*a",
    b"&a ",
    b"../",
    b"9" * 40,
)


LISTED = {
    "source": "test25.txt",
    "label": "zest",
    "emotion": "joy",
    "polarity": "+",
    "official_split": "test",
}
"""What a row of a listing has besides its URL and line."""


@dataclass(frozen=True)
class Target:
    """A kind of file.

    Attributes
    ----------
    sound
        As the package writes it.
    take
        Reads bytes as the package does; what a user would be told is no failure.
    others
        Further sound files.
    """

    sound: bytes
    take: Callable[[bytes], None]
    others: tuple[bytes, ...] = ()

    def spoil(self, chance: random.Random) -> bytes:
        """Return the sound file with a few of its bytes changed, cut, repeated or replaced."""
        content = bytearray(chance.choice((self.sound, *self.others)))
        for _ in range(chance.randint(1, 6)):
            SPOILERS[chance.randrange(len(SPOILERS))](content, chance)
        return bytes(content)


def _flip(content: bytearray, chance: random.Random) -> None:
    if content:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def _replace(content: bytearray, chance: random.Random) -> None:
    if content:
        content[chance.randrange(len(content))] = chance.choice(ODD_BYTES)


def _cut(content: bytearray, chance: random.Random) -> None:
    del content[chance.randint(0, len(content)) :]


def _repeat(content: bytearray, chance: random.Random) -> None:
    start = chance.randint(0, len(content))
    content[start:start] = content[start : start + chance.randint(1, 64)]


def _insert(content: bytearray, chance: random.Random) -> None:
    start = chance.randint(0, len(content))
    content[start : start + chance.randint(0, 4)] = chance.choice(ODD_TEXTS)


SPOILERS = (_flip, _replace, _cut, _repeat, _insert)


def manifests(folder: Path) -> Target:
    """Return a listing's manifest."""
    workspace, path = Workspace(folder), folder / "x.parquet"
    rows = [LISTED | {"url": f"https://a.example/{n}.jpg", "line": n + 1} for n in range(50)]
    workspace.write(
        "listing", manifest("listing", rows), Origin("listing", 1, {"a": 1}, {"b": "c"})
    )

    def take(content: bytes) -> None:
        path.write_bytes(content)
        read_info(path)
        _told(lambda: content_digest(read_manifest(path, "listing")))

    return Target(workspace.manifest_path("listing").read_bytes(), take)


def configurations(folder: Path) -> Target:
    """Return a pipeline file."""
    path = folder / "x.yaml"
    sound = b"""fetch: {limit: 20, rate: 5.0, retry_status: '404,timeout'}
split: &s {ratios: [80, 10, 10], seed: 7}
train: {preset: beyond, lr: 0.001, epochs: 3}
undersample: {seed: 7, positive_fraction: 0.5}
"""

    def take(content: bytes) -> None:
        path.write_bytes(content)
        _told(lambda: load_pipeline(path))

    return Target(sound, take)


def checkpoints(folder: Path) -> Target:
    """Return a finished partition."""
    held = Checkpoints(FolderStore(folder), "data/checkpoints/x")
    table = pa.table(
        {"a": list(range(200)), "b": [str(n) for n in range(200)], "c": [[1], []] * 100}
    )
    held.save("p", table)
    path = folder / "data/checkpoints/x/p.arrow"

    def take(content: bytes) -> None:
        path.write_bytes(content)
        found = held.load("p")
        assert found is None or found.equals(table)

    return Target(path.read_bytes(), take)


def journals(folder: Path) -> Target:
    """Return a segment of a download's journal."""
    store = FolderStore(folder)
    with Journal(store, "made") as journal:
        for n in range(20):
            journal.add(Entry(FetchOutcome(f"https://a.example/{n}", FetchStatus.GONE, 410), 1))
        journal.settle(0)
    sound = b"".join(path.read_bytes() for path in sorted((folder / "made").iterdir()))
    path = folder / "read" / "000000-x.jsonl"
    path.parent.mkdir()

    def take(content: bytes) -> None:
        from webemo_curate.conform import conform
        from webemo_curate.download.outcome_rows import OutcomeRows
        from webemo_curate.schemas import FETCH

        path.write_bytes(content)
        rows = OutcomeRows(folder)
        for entry in Journal(store, "read").read():
            rows.add(entry.outcome, 0)
        conform(rows.table().select(FETCH.names), FETCH)

    return Target(sound, take)


def weights(folder: Path) -> Target:
    """Return a safetensors file, mostly header."""
    path, other = folder / "x.safetensors", folder / "state.safetensors"
    module = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adagrad(module.parameters())
    save_state(other, {"m": module}, optimizer, {}, Progress(updates=1))

    def take(content: bytes) -> None:
        path.write_bytes(content)
        _told(lambda: read_weights(path))
        load_state(path, {"m": module}, torch.optim.Adagrad(module.parameters()))

    return Target(other.read_bytes(), take)


def packed(folder: Path) -> Target:
    """Return a file of packed pixels."""
    path, shape = folder / "x.npy", (2, 3, 4, 4)
    pixels = np.arange(96, dtype=np.uint8).reshape(shape)
    with path.open("wb") as stream:
        write_packed(stream, pixels, path)

    def take(content: bytes) -> None:
        path.unlink()
        path.write_bytes(content)
        found = open_packed(path, shape)
        assert found is None or np.array_equal(found, pixels)

    return Target(path.read_bytes(), take)


def run_files(folder: Path) -> Target:
    """Return what a run says of itself: its configuration, log and mark, one after another."""
    sound = (
        b'{"grams": 1, "classes": ["others", "sadness"], "epoch": 1, "loss": 0.5, "accuracy": 0, '
        b'"val_accuracy": null, "files": {"a": "b"}}'
    )

    def take(content: bytes) -> None:
        for name in ("config.json", "log.jsonl", "done.json", "metrics-test.json"):
            (folder / name).write_bytes(content)
        _told(lambda: load_config(folder))
        _told(lambda: load_classes(folder))
        _told(lambda: load_log(folder))
        list(changes(folder, "done.json"))

    return Target(sound, take)


def pictures(folder: Path) -> Target:  # noqa: ARG001 - none is written
    """Return a picture of each format, some with metadata or several frames."""
    drawn = [picture(seed, (40, 24)) for seed in range(3)]
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a" * 40
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    gray = Image.fromarray(np.arange(960, dtype=np.uint16).reshape(24, 40) * 60)
    kept = {"exif": exif.tobytes(), "icc_profile": profile}
    others = [
        encode(drawn[0], "JPEG", progressive=True),
        encode(drawn[0].convert("CMYK"), "JPEG"),
        *(encode(drawn[0], kind, **kept) for kind in ("PNG", "WEBP", "AVIF", "TIFF")),
        *(animation(drawn, kind) for kind in ("GIF", "WEBP", "PNG")),
        *(encode(drawn[0].quantize(16), kind) for kind in ("PNG", "BMP", "TIFF")),
        *(encode(gray, kind) for kind in ("PNG", "TIFF")),
    ]

    def take(content: bytes) -> None:
        for read in (check_body, read_looks, choose_frame):
            with suppress(DecodeError):
                read(content, MAX_PIXELS)

    return Target(encode(drawn[0], "JPEG", **kept), take, tuple(others))


TARGETS: dict[str, Callable[[Path], Target]] = {
    "manifest": manifests,
    "curate.yaml": configurations,
    "checkpoint": checkpoints,
    "journal": journals,
    "safetensors": weights,
    "packed": packed,
    "run": run_files,
    "pictures": pictures,
}


def _told(work: Callable[[], object]) -> None:
    """Do something that may end in a message to the user."""
    try:
        work()
    except CurateError as error:
        assert len(str(error)) < 20_000  # noqa: PT017 - what is checked is that it is bounded
