"""Batches come in their order, however long each takes, and no more is read than is asked for."""

import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from tests.imaging.drawn import encode, picture
from webemo_curate.dataset.labeled_images import chunks
from webemo_curate.dataset.prefetch import READ_AHEAD, Feed
from webemo_curate.errors import InputError

IMAGES, BATCH = 60, 3


@dataclass
class NumberedImages:
    """Images whose one pixel is their number, and a note of those taken."""

    broken: int = IMAGES
    taken: list[int] = field(default_factory=list)
    image_bytes: int = 1

    @property
    def targets(self) -> torch.Tensor:
        return torch.arange(IMAGES)

    @property
    def sha256(self) -> list[str]:
        return [str(number) for number in range(IMAGES)]

    @property
    def paths(self) -> list[str]:
        return self.sha256

    def take(self, rows: np.ndarray) -> torch.Tensor:
        self.taken += rows.tolist()
        if self.broken in rows:
            raise InputError(f"{self.broken}: cannot be read")
        return torch.from_numpy(rows.astype(np.uint8))[:, None, None, None]


def slowly(pixels: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
    time.sleep(random.Random(int(rows[0])).random() / 100)
    assert pixels.flatten().tolist() == rows.tolist()
    return pixels + 100


def feed(images: NumberedImages) -> Feed:
    return Feed(images, torch.device("cpu"), "mapped")


def test_batches_come_in_order_whatever_each_takes() -> None:
    rows = list(chunks(IMAGES, BATCH))
    found = list(feed(NumberedImages()).batches(rows, slowly))
    assert [pixels.flatten().tolist() for pixels, _ in found] == [(r + 100).tolist() for r in rows]
    assert [targets.tolist() for _, targets in found] == [r.tolist() for r in rows]


def test_who_stops_early_waits_for_no_more() -> None:
    images = NumberedImages()
    batches = feed(images).batches(chunks(IMAGES, BATCH), slowly)
    next(batches)
    batches.close()
    assert len(images.taken) <= (READ_AHEAD + 1) * BATCH


def test_an_error_comes_at_its_batch_and_ends_the_rest() -> None:
    images = NumberedImages(broken=5 * BATCH)
    seen = []
    with pytest.raises(InputError, match="cannot be read"):
        seen.extend(
            rows.tolist() for _, rows in feed(images).batches(chunks(IMAGES, BATCH), slowly)
        )
    assert len(seen) == 5
    assert len(images.taken) <= (5 + READ_AHEAD + 1) * BATCH


ENDLESS = """
import hashlib, itertools, sys
from pathlib import Path
import numpy as np, torch
from tests.trainable import TINY
from tests.imaging.drawn import encode, picture
from webemo_curate.dataset.labeled_images import FileImages
from webemo_curate.dataset.prefetch import Feed
from webemo_curate.storage.image_files import ImageFiles

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    places = sorted(file.name for file in folder.iterdir())
    names = [hashlib.sha256((folder / place).read_bytes()).hexdigest() for place in places]
    reader, targets = ImageFiles(folder), torch.zeros(len(places), dtype=torch.int64)
    images = FileImages(reader, places, TINY, 10**6, targets, names, places)
    rows = itertools.repeat(np.arange(len(places)))
    for _ in Feed(images, torch.device("cpu"), "files").batches(rows, lambda pixels, _: pixels + 1):
        print("a batch", flush=True)
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_of_a_feed_that_is_ended(tmp_path: Path, ending: signal.Signals) -> None:
    for number in range(20):
        content = encode(picture().rotate(10 * number), "PNG")
        (tmp_path / f"{number}.png").write_bytes(content)
    command = [sys.executable, "-c", ENDLESS, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as feeding:
        assert feeding.stdout
        assert feeding.stdout.readline() == b"a batch\n"
        children = psutil.Process(feeding.pid).children(recursive=True)
        assert children
        feeding.send_signal(ending)
        assert feeding.wait(10)
        _, alive = psutil.wait_procs(children, 10)
        assert not alive
