"""A worker stays under 1 GB, whatever picture it gets: measured, on the largest ones."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.imaging.drawn import encode
from webemo_curate.imaging import bands
from webemo_curate.ocr import pixels

FILTER = """
import sys
from pathlib import Path
import pyarrow as pa
from webemo_curate.config import OcrConfig
from webemo_curate.ocr.cascade import make_detector
from webemo_curate.ocr.selection import choose_engine
from webemo_curate.stages.ocr import OcrWorker
from webemo_curate.storage.image_files import ImageFiles

config = OcrConfig(engine="rapidocr", device="cpu")
choice = choose_engine(config)
files = ImageFiles(Path(sys.argv[1]))
worker = OcrWorker(files, choice.engine, choice.version, make_detector(config, choice), 8)
worker.setup()
row = {"width": 8000, "height": 8000, "frames": 1}
rows = [row | {"sha256": place, "place": place} for place in sys.argv[2:]]
found = worker.process(pa.RecordBatch.from_pylist(rows))
assert all(found["readable"].to_pylist()), found
status = Path("/proc/self/status").read_text()
print(int(status.split("VmHWM:")[1].split()[0]) * 1024)
"""


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x112] = 6
    return exif


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_a_text_filter_worker_stays_under_a_gigabyte(tmp_path: Path) -> None:
    large = Image.radial_gradient("L").resize((8000, 8000)).convert("RGB")
    (tmp_path / "turned.jpg").write_bytes(encode(large, "JPEG", exif=turned()))
    options = {"progressive": True, "subsampling": 0}
    (tmp_path / "progressive.jpg").write_bytes(encode(large, "JPEG", **options))
    names = ("turned.jpg", "progressive.jpg")
    command = (sys.executable, "-c", FILTER, str(tmp_path), *names)
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) < 1e9, f"{int(ran.stdout) / 1e6:.0f} MB"


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 200))
def test_pixels_copied_band_by_band_are_those_of_the_picture(
    width: int, height: int, band: int
) -> None:
    noise = np.random.default_rng(width * height).integers(0, 256, (height, width, 3), np.uint8)
    image = Image.fromarray(noise)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bands, "BAND_PIXELS", band)
        assert np.array_equal(pixels.to_pixels(image), noise)
