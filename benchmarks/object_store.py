"""Images on an object store: shards with an index beside an object each, over a real S3 protocol.

    python -m benchmarks.object_store PHOTOS [--images 2000]

The server is moto's on loopback, in a thread of this process: its times flatter nobody and are no
real store's, so what counts is requests, and how their number grows.
"""

import argparse
import hashlib
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


def compare(photos: Path, images: int, served: Faulty, folder: Path) -> None:
    """Write and scan so many distinct images both ways."""
    contents = [
        path.read_bytes() + n.to_bytes(4) for n, path in enumerate(repeated(photos, images))
    ]
    paths = [image_path(hashlib.sha256(content).hexdigest(), ".jpg") for content in contents]
    single = BucketStore(f"s3://{BUCKET}/single", folder / "1")
    packed = BucketStore(f"s3://{BUCKET}/packed", folder / "2")
    there = ImageShards(BucketStore(packed.url, folder / "3"))

    def write_single() -> None:
        for path, content in zip(paths, contents, strict=True):
            single.write(path, content)

    def write_packed() -> None:
        shards = ImageShards(packed)
        for path, content in zip(paths, contents, strict=True):
            shards.add(content, path)
        shards.settle()

    def scan_single() -> None:
        for path in paths:
            with single.open(path) as stream:
                stream.read()

    def scan_packed() -> None:
        for place in sorted(there.places(pa.array(paths)).to_pylist()):
            there.read(place)

    one = measured("write, an object each", images, served, write_single)
    two = measured("write, shards", images, served, write_packed)
    three = measured("scan, an object each", images, served, scan_single)
    four = measured("scan, shards, nothing cached", images, served, scan_packed)
    print(f"shards / single: write {two[1] / one[1]:.3f} of the time, {two[0] / one[0]:.4f} of the")
    print(f"requests; scan {four[1] / three[1]:.3f} of the time, {four[0] / three[0]:.4f} of them")


def main() -> None:
    """Serve S3 and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--images", type=int, default=2000)
    arguments = parser.parse_args()
    with s3_server() as served, tempfile.TemporaryDirectory() as folder:
        os.environ.update(credentials(served.url))
        compare(arguments.photos, arguments.images, served, Path(folder))


if __name__ == "__main__":
    main()
