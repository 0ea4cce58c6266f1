"""An engine is shown pictures without fault that take it through all its steps."""

from operator import attrgetter

import pytest

from webemo_curate.config import FilterTextConfig
from webemo_curate.ocr.cascade import make_detector
from webemo_curate.ocr.detector import EngineError
from webemo_curate.ocr.selection import choose_engine
from webemo_curate.ocr.self_check import require_working


@pytest.fixture(scope="module")
def detector():
    config = FilterTextConfig(engine="rapidocr", device="cpu")
    detector = make_detector(config, choose_engine(config))
    detector.setup()
    return detector


def test_a_sound_engine_passes(detector):
    require_working(detector)


@pytest.mark.parametrize(
    "step",
    [
        "webemo_curate.ocr.second_look.mark_agreement",
        "webemo_curate.ocr.rapidocr.rapidocr_detector.moved",
        "webemo_curate.ocr.rapidocr.rapidocr_detector.support",
        "webemo_curate.ocr.rapidocr.rapidocr_detector.polygon_area",
    ],
)
def test_a_fault_in_any_step_is_met(detector, monkeypatch, step):
    def broken(*_):
        raise TypeError("of our making")

    monkeypatch.setattr(step, broken)

    with pytest.raises(EngineError, match=r"TypeError: of our making .*not to blame"):
        require_working(detector)


@pytest.mark.parametrize("look", ["first.second", "second"])
def test_a_look_for_drawn_words_that_fails_is_met(detector, monkeypatch, look):
    monkeypatch.setattr(attrgetter(look)(detector), "_decode_boxes", lambda *_: [][0])

    with pytest.raises(EngineError, match="IndexError"):
        require_working(detector)
