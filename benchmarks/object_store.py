"""Compare shards with one object for each image on an object store, over a real S3 protocol.

    python -m benchmarks.object_store PHOTOS [--images 2000]

The server is moto's on loopback, in a thread of this process: its times flatter nobody and are no
real store's, so what counts is requests, and how their number grows.
"""

import argparse
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from benchmarks.photo_ocr import repeated
from tests.storage.server import BUCKET, Faulty, credentials, s3_server
from webemo_curate.storage.bucket import BucketStore
from webemo_curate.storage.image_shards import ImageShards
from webemo_curate.workspace import image_path


def measured(name: str, images: int, served: Faulty, work: Callable[[], None]) -> tuple[int, float]:
    """Do something and print what it cost."""
    served.requests.clear()
    started = time.perf_counter()
    work()
    seconds, requests = time.perf_counter() - started, len(served.requests)
    print(
        f"{name:<32} {requests:6} requests, {requests / images:.3f} an image, "
        f"{images / seconds:6.0f} images/s",
        flush=True,
    )
    return requests, seconds


class Single:
    """An object an image."""

    def __init__(self, folder: Path) -> None:
        self._store = BucketStore(f"s3://{BUCKET}/single", folder / "single")

    def write(self, images: dict[str, bytes]) -> None:
        """Store images by their paths."""
        for path, content in images.items():
            self._store.write(path, content)

    def scan(self, paths: list[str]) -> None:
        """Read every image."""
        for path in paths:
            with self._store.open(path) as stream:
                stream.read()


class Packed:
    """Shards; another machine reads them."""

    def __init__(self, folder: Path) -> None:
        store = BucketStore(f"s3://{BUCKET}/packed", folder / "packed")
        self._ours = ImageShards(store)
        self._there = ImageShards(BucketStore(store.url, folder / "elsewhere"))

    def write(self, images: dict[str, bytes]) -> None:
        """Store images by their paths."""
        for path, content in images.items():
            self._ours.add(content, path)
        self._ours.settle()

    def scan(self, paths: list[str]) -> None:
        """Read every image, in the order in which they lie."""
        for place in sorted(self._there.places(pa.array(paths)).to_pylist()):
            self._there.read(place)


def compare(photos: Path, count: int, served: Faulty, folder: Path) -> None:
    """Write and scan so many distinct images both ways."""
    numbered = enumerate(repeated(photos, count))
    contents = [path.read_bytes() + number.to_bytes(4, "big") for number, path in numbered]
    images = {image_path(hashlib.sha256(one).hexdigest(), ".jpg"): one for one in contents}
    single, packed = Single(folder), Packed(folder)
    for name, ours, theirs in (
        ("write", lambda: packed.write(images), lambda: single.write(images)),
        ("scan", lambda: packed.scan([*images]), lambda: single.scan([*images])),
    ):
        requests, seconds = measured(f"{name}, an object each", count, served, theirs)
        fewer, shorter = measured(f"{name}, shards", count, served, ours)
        print(f"shards: {fewer / requests:.4f} of requests, {shorter / seconds:.3f} of time")


def main() -> None:
    """Serve S3 and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--images", type=int, default=2000)
    arguments = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with s3_server() as served, tempfile.TemporaryDirectory() as folder:
        os.environ.update(credentials(served.url))
        compare(arguments.photos, arguments.images, served, Path(folder))


if __name__ == "__main__":
    main()
