"""Measure the time to build the review queue, and from a key press to the next picture.

`python -m benchmarks.review queue --images 240000` writes manifests of made-up scores of so many
images and times what `curate review` does before its page opens, kind by kind and whole.
`python -m benchmarks.review keys --cases 10000 --keys 500` draws so many pictures, opens the page
in Chromium and presses keys: the times are the browser's own, from the key to the painted picture,
the decision on the disk in between.
"""

import argparse
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np
import pyarrow as pa

from webemo_curate.conform import conform
from webemo_curate.demo.scenes import draw_scene
from webemo_curate.demo.variants import jpeg
from webemo_curate.manifest import Origin
from webemo_curate.review_page.case_queue import build_queue
from webemo_curate.review_page.session import Session
from webemo_curate.reviews.review import ReviewKind
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.schemas import SCHEMAS
from webemo_curate.taxonomies.webemo_labels import LABELS
from webemo_curate.workspace import Workspace

NEAR = 0.04
"""Share of the made-up images whose score is within .1 of its threshold, spread evenly."""

PAIRS_AN_IMAGE = 5
"""Measured pairs, most of them strangers."""

SCENES = 100
WARM_UP = 20
"""Keys before times count."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["queue", "keys"])
    parser.add_argument("--images", type=int, default=240_000)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--keys", type=int, default=500)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder) / "ws")
        if given.what == "queue":
            time_queue(workspace, given.images)
        else:
            time_keys(workspace, given.cases, given.keys)


def time_queue(workspace: Workspace, images: int) -> None:
    make_manifests(workspace, images)
    work = WorkContext(workspace, workspace.config())
    for kinds in (*((kind,) for kind in ReviewKind), (*ReviewKind,)):
        began = time.perf_counter()
        queue = build_queue(work, kinds, 0.1)
        seconds = time.perf_counter() - began
        print(f"{'+'.join(kinds):<22} {len(queue):>7,} cases of {images:,}: {seconds:.2f} s")


def make_manifests(workspace: Workspace, images: int) -> None:
    """Write manifests of images that are nowhere; a hash says their number."""
    rng = np.random.default_rng(0)
    names = [f"{number:064x}" for number in range(images)]
    urls = [f"https://pictures.example/{number}.jpg" for number in range(images)]
    one = np.arange(images)
    put(
        workspace,
        "images",
        sha256=names,
        path=[f"data/images/{n}.jpg" for n in names],
        bytes=one,
        decode_status=["ok"] * images,
        width=one * 0 + 600,
        height=one * 0 + 400,
    )
    put(workspace, "fetch", url=urls, status=["ok"] * images, attempts=one * 0 + 1, sha256=names)
    labels = rng.choice(["joy", "sadness"], images)
    put(workspace, "listing", source=["list"] * images, line=one + 1, url=urls, label=labels)
    margin = np.where(rng.random(images) < NEAR, rng.uniform(-0.1, 0.1, images), -0.5)
    make_text(workspace, names, 0.85 + margin)
    make_pairs(workspace, names, rng)
    make_labels(workspace, names, rng)


def make_text(workspace: Workspace, names: list[str], scores: Any) -> None:
    box = {"polygon": [10, 10, 90, 10, 90, 30, 10, 30], "score": 0.7, "text": "WORDS",
           "area": 0.01, "agreed": 0.0, "drawn": False, "frame": 0, "periodic": 0.0}  # fmt: skip
    count = len(names)
    put(workspace, "text", sha256=names, engine=["rapidocr"] * count, engine_version=["1"] * count,
        boxes=[[box | {"confidence": score, "support": score}] for score in scores.tolist()],
        score=scores, area=[0.01] * count, text=[""] * count, threshold=[0.85] * count,
        verdict=np.where(scores >= 0.85, "text", "clean"))  # fmt: skip


def make_pairs(workspace: Workspace, names: list[str], rng: Any) -> None:
    count = len(names) * PAIRS_AN_IMAGE
    hashes = pa.array(names)
    first = np.repeat(np.arange(len(names)), PAIRS_AN_IMAGE)
    second = (first + np.tile(np.arange(1, PAIRS_AN_IMAGE + 1), len(names))) % len(names)
    kin = rng.random(count) < NEAR / PAIRS_AN_IMAGE
    first, second = (hashes.take(pa.array(side)) for side in (first, second))
    put(workspace, "pairs", first=first, second=second,
        method=["features"] * count, placing=["keypoints"] * count, mirrored=[False] * count,
        clear=[False] * count, inliers=np.where(kin, 100, 3), placed=[0.9] * count,
        correlation=np.where(kin, rng.uniform(0.7, 0.9, count), rng.uniform(-0.5, 0.6, count)),
        overlap=[1.0] * count, agreeing=[0.9] * count, changed=[0.0001] * count)  # fmt: skip


def make_labels(workspace: Workspace, names: list[str], rng: Any) -> None:
    count = len(names)
    conflict = rng.random(count) < NEAR
    put(
        workspace,
        "duplicates",
        sha256=names,
        cluster=names,
        keeper=[True] * count,
        matched=names,
        method=["keeper"] * count,
        distance=[0.0] * count,
        verdict=["keeper"] * count,
        group=names,
    )
    put(workspace, "labels", cluster=names, labels=[["joy", "sadness"]] * count,
        label=["joy"] * count, positive_votes=[1] * count, other_votes=rng.integers(1, 5, count),
        conflict=conflict, verdict=np.where(conflict, "label_conflict", "kept"))  # fmt: skip


def put(workspace: Workspace, name: str, **columns: Any) -> None:
    schema = SCHEMAS[name]
    count = len(next(iter(columns.values())))
    table = pa.table({f.name: columns.get(f.name, pa.nulls(count)) for f in schema})
    workspace.write(name, conform(table, schema), Origin("made", 1, {}, {}))


def time_keys(workspace: Workspace, cases: int, keys: int) -> None:
    draw_pictures(workspace, cases)
    addresses: Queue[str] = Queue()
    session = Session("benchmark", ready=addresses.put)
    work = WorkContext(workspace, workspace.config())
    served = threading.Thread(target=session.near, args=(work, ReviewKind.TEXT, 0.1))
    served.start()
    took = press_keys(addresses.get(), keys + WARM_UP)[WARM_UP:]
    served.join()
    quantiles = statistics.quantiles(took, n=20)
    print(
        f"key to picture, {len(took)} keys on {cases:,} cases: "
        f"median {statistics.median(took):.1f} ms, "
        f"95 % within {quantiles[-1]:.1f} ms, longest {max(took):.1f} ms"
    )


def draw_pictures(workspace: Workspace, cases: int) -> None:
    """Store pictures that all differ: scenes moved by some pixels."""
    rng = np.random.default_rng(0)
    scenes = [np.asarray(draw_scene(LABELS[n % len(LABELS)], rng)) for n in range(SCENES)]
    from PIL import Image

    names = []
    for number in range(cases):
        moved = np.roll(scenes[number % SCENES], number // SCENES, axis=1)
        names.append(workspace.store_image(jpeg(Image.fromarray(moved)), ".jpg"))
    height, width = scenes[0].shape[:2]
    put(workspace, "images", sha256=names, path=[workspace.image_path(n, ".jpg") for n in names],
        bytes=[1] * cases, decode_status=["ok"] * cases, width=[width] * cases,
        height=[height] * cases)  # fmt: skip
    urls = [f"https://pictures.example/{number}.jpg" for number in range(cases)]
    put(workspace, "fetch", url=urls, status=["ok"] * cases, attempts=[1] * cases, sha256=names)
    make_text(workspace, names, 0.85 + rng.uniform(-0.1, 0.1, cases))


def press_keys(address: str, keys: int) -> list[float]:
    """Press keys one after another; returns milliseconds, as the browser measured them."""
    from playwright.sync_api import sync_playwright

    place = shutil.which("chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=place, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector("#work[data-ready]")
        for number in range(keys):
            before = page.get_attribute("#work", "data-ready")
            page.keyboard.press("kd"[number % 2])
            page.wait_for_selector(f'#work:not([data-ready="{before}"])')
            page.wait_for_timeout(50)  # a person looks; what comes next is brought meanwhile
        took: list[float] = page.evaluate(
            "performance.getEntriesByName('key-to-picture').map(each => each.duration)"
        )
        page.click("#done")
        page.wait_for_selector("text=This page can be closed")
        browser.close()
    return took


if __name__ == "__main__":
    main()
