"""Pictures read by helpers around one process that runs the networks have the same rows."""

from pathlib import Path

import pyarrow as pa
import pytest

from tests.ocr.pictures import scene, with_words
from webemo_curate.config import FilterTextConfig
from webemo_curate.ocr.asking import OwnNetworks, served_by
from webemo_curate.ocr.cascade import make_detector
from webemo_curate.ocr.selection import EngineChoice
from webemo_curate.stages.ocr import OcrWorker, fed
from webemo_curate.storage.image_files import ImageFiles

CONFIG = FilterTextConfig(engine="rapidocr", short_side=96)


def stored(folder):
    """Store pictures of several shapes; return rows as the ocr stage selects them."""
    pictures = [
        with_words("HELLO", size=(120, 90)),
        scene(size=(90, 120)),
        with_words("WORLD", size=(150, 60)),
        scene(3, size=(120, 90)),
        with_words("AGAIN", size=(120, 90)),
    ]
    rows = []
    for number, picture in enumerate(pictures):
        path = folder / f"{number}.png"
        picture.save(path)
        row = {"sha256": f"{number:064x}", "place": str(path), "frames": 1}
        rows.append(row | {"width": picture.width, "height": picture.height})
    return pa.RecordBatch.from_pylist(rows)


@pytest.mark.slow
def test_rows_are_those_of_one_process_in_any_order(tmp_path):
    batch = stored(tmp_path)
    detector = make_detector(CONFIG, EngineChoice("rapidocr", "gpu", "1", ""))
    inner = OcrWorker(ImageFiles(Path("/")), "rapidocr", "1", detector, 1)
    worker = fed(inner, helpers=2, device="cpu")
    worker.rows_at_once = 2
    worker.setup()

    found = worker.process(batch)
    turned = worker.process(batch.take(pa.array([4, 3, 2, 1, 0])))
    worker.close()

    with served_by(OwnNetworks(detector.networks(), "cpu")):
        inner.setup()
    expected = inner.process(batch)
    assert found.equals(expected)
    assert turned.to_pylist() == expected.to_pylist()[::-1]
    assert sum(bool(row["boxes"]) for row in found.to_pylist()) >= 3
