"""Measure the map's frames in Chromium: `python -m benchmarks.map_frames [--images N]`.

The report of a made workspace (see `report_size`), all pictures on the map, is opened, and the map
zoomed a little for each frame. Beside it, in the same page and on a canvas of the same size, the
same points are drawn as most scripts draw them: a filled circle each. `--seconds` times the placing
of so many made vectors too.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.report_size import IMAGES, make_workspace
from tests.chromium import chromium
from webemo_curate.config import PipelineConfig
from webemo_curate.likeness.projection import lay_out
from webemo_curate.manifest import Origin
from webemo_curate.report.build import build_report
from webemo_curate.runner.work_context import WorkContext

FRAMES = 200
GROUPS = 40
OURS = """async (frames) => {
  const canvas = document.getElementById("map-canvas");
  canvas.scrollIntoView();
  const box = canvas.getBoundingClientRect();
  const spot = { clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 };
  const times = [];
  let last = performance.now();
  for (let frame = 0; frame < frames; frame += 1) {
    const deltaY = frame % 100 < 50 ? -20 : 20;
    canvas.dispatchEvent(new WheelEvent("wheel", { ...spot, deltaY, cancelable: true }));
    await new Promise(requestAnimationFrame);
    times.push(performance.now() - last);
    last = performance.now();
  }
  return times.slice(5);
}"""
CIRCLES = """async (frames) => {
  const [canvas, wide] = [document.createElement("canvas"), document.getElementById("map-canvas")];
  Object.assign(canvas, { width: wide.width, height: wide.height });
  wide.after(canvas);
  const bytes = Uint8Array.from(atob(wide.dataset.places), (letter) => letter.charCodeAt(0));
  const places = new Uint16Array(bytes.buffer);
  const pen = canvas.getContext("2d");
  const times = [];
  let last = performance.now();
  for (let frame = 0; frame < frames; frame += 1) {
    const unit = (canvas.height / 65535) * (1 + (frame % 50) / 50);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    for (let point = 0; point < places.length; point += 2) {
      pen.fillStyle = point % 4 ? "#c33" : "#36c";
      pen.beginPath();
      pen.arc(places[point] * unit, places[point + 1] * unit, 1.5, 0, 7);
      pen.fill();
    }
    pen.getImageData(0, 0, 1, 1); // drawn, not noted to be drawn
    await new Promise(requestAnimationFrame);
    times.push(performance.now() - last);
    last = performance.now();
  }
  canvas.remove();
  return times.slice(5);
}"""


def made_report(folder: Path, images: int) -> Path:
    """Write the report of a workspace whose pictures lie in groups on the map."""
    workspace, rng = make_workspace(folder, images), np.random.default_rng(0)
    names = workspace.read("images", ["sha256"])["sha256"]
    centers = rng.uniform(0.1, 0.9, (GROUPS, 2))
    places = centers[rng.integers(0, GROUPS, images)] + rng.normal(0, 0.04, (images, 2))
    places = np.clip(places, 0, 1).astype(np.float32)
    table = pa.table({"sha256": names, "x": places[:, 0], "y": places[:, 1]})
    workspace.write("map", table, Origin("map", 1, {}, {}))
    return Path(build_report(WorkContext(workspace, PipelineConfig())))


def show_frames(report: Path) -> None:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1100, "height": 900})
        page.goto(report.as_uri())
        page.wait_for_timeout(1_000)
        taken = {}
        for name, script, frames in (("map", OURS, FRAMES), ("circles", CIRCLES, FRAMES // 5)):
            times = np.array(page.evaluate(script, frames))
            taken[name] = np.median(times)
            slow = np.percentile(times, 95)
            print(f"{name}: median {1000 / taken[name]:.0f} frames/s, 95 % within {slow:.0f} ms")
        print(f"ratio: {taken['circles'] / taken['map']:.1f}")


def show_placing(images: int) -> None:
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(GROUPS, 176))
    vectors = centers[rng.integers(0, GROUPS, images)] + rng.normal(size=(images, 176))
    wall, busy = time.monotonic(), time.process_time()
    lay_out([vectors.astype(np.float32)])
    wall, busy = time.monotonic() - wall, time.process_time() - busy
    print(f"{images:,} vectors placed in {wall:.0f} s, {busy:.0f} CPU-s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--seconds", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = made_report(Path(folder), given.images)
        size = report.stat().st_size / 1e6
        print(f"{given.images:,} pictures on the map: report of {size:.2f} MB")
        show_frames(report)
    if given.seconds:
        show_placing(given.images)


if __name__ == "__main__":
    main()
