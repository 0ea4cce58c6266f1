"""Measure the cost of examining bodies in a child process, beside decoding them in this one.

`python -m benchmarks.examining FOLDER [--images 300] [--rounds 5]`: processor time of both
processes, divided by that of `check_body` alone, in turns; median and range over the rounds.
"""

import argparse
import asyncio
import resource
import statistics
from collections.abc import Callable
from pathlib import Path

import psutil

from webemo_curate.config import DecodingConfig
from webemo_curate.imaging import DecodeError, Examiner, ExamineWorker, check_body

MAX_PIXELS = DecodingConfig().max_pixels


def spent() -> float:
    """Return the processor seconds of this process and of its living children."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return own.ru_utime + own.ru_stime + sum(each.user + each.system for each in children)


def decode_here(bodies: list[bytes]) -> None:
    for body in bodies:
        try:
            check_body(body, MAX_PIXELS)
        except DecodeError:
            continue


async def examine_all(examiner: Examiner, bodies: list[bytes]) -> None:
    for body in bodies:
        await examiner.examine(body)


def cost(work: Callable[[], None]) -> float:
    before = spent()
    work()
    return spent() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    files = sorted(path for path in given.folder.rglob("*") if path.suffix in (".jpg", ".png"))
    bodies = [path.read_bytes() for path in files[: given.images]]
    ratios = []
    with Examiner(ExamineWorker(MAX_PIXELS)) as examiner:
        decode_here(bodies)
        asyncio.run(examine_all(examiner, bodies[:1]))  # starts the process
        for _ in range(given.rounds):
            bare = cost(lambda: decode_here(bodies))
            ratios.append(cost(lambda: asyncio.run(examine_all(examiner, bodies))) / bare)
    size = sum(map(len, bodies)) / len(bodies) / 1000
    print(
        f"{len(bodies)} bodies of {size:.0f} KB: {statistics.median(ratios):.2f} times the "
        f"processor time of decoding them here ({min(ratios):.2f} to {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
