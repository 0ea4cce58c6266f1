"""A configuration says how often an image is looked at, and what runs has a name of its own."""

from dataclasses import replace

from webemo_curate.config import FilterTextConfig
from webemo_curate.ocr.cascade import CLOSE_SIDE, looks_again, make_detector
from webemo_curate.ocr.easyocr.easyocr_detector import EasyDetector
from webemo_curate.ocr.easyocr.weight_files import PUBLISHED
from webemo_curate.ocr.overlay.overlay_network import OVERLAY_TEXT
from webemo_curate.ocr.rapidocr.rapidocr_detector import RapidDetector
from webemo_curate.ocr.rule import CLOSE_RULE, DRAWN_RULE
from webemo_curate.ocr.second_look import SecondLook
from webemo_curate.ocr.selection import choose_engine

PLAIN = FilterTextConfig(device="cpu", engine="rapidocr", short_side=96, drawn=False)


def detector(config):
    return make_detector(config, choose_engine(config))


def test_one_look_is_the_engine_itself():
    assert detector(PLAIN) == RapidDetector("cpu", 96, PLAIN.score_floor, PLAIN.batch_size)


def test_further_looks_follow_each_other():
    twice = PLAIN.model_copy(update={"second_side": 160})
    thrice = twice.model_copy(update={"drawn": True})

    second, closest = detector(twice), detector(thrice)
    third = closest.first

    assert isinstance(second, SecondLook)
    assert second.first == detector(PLAIN)
    assert second.second == replace(second.first, short_side=160)
    assert not second.independent
    assert isinstance(third, SecondLook)
    assert third.first == second
    assert third.second.detection == OVERLAY_TEXT
    assert third.independent
    assert third.second_rule == DRAWN_RULE
    assert closest.second == replace(third.second, short_side=CLOSE_SIDE)
    assert not closest.independent
    assert closest.second_rule == CLOSE_RULE


def test_where_easyocr_looks_first_the_look_for_drawn_words_is_the_same(tmp_path):
    for weights in PUBLISHED:
        (tmp_path / weights.name).touch()
    once = FilterTextConfig(engine="easyocr", device="cpu", models=tmp_path, drawn=False)

    first, twice = detector(once), detector(once.model_copy(update={"drawn": True}))

    assert isinstance(first, EasyDetector)
    assert first.detection == tmp_path / PUBLISHED[0].name
    assert isinstance(twice, SecondLook)
    assert twice.first.first == first
    assert twice.second == detector(PLAIN.model_copy(update={"drawn": True})).second


def test_looks_differ_in_name_where_they_differ_in_kind():
    configs = [
        PLAIN.model_copy(update={"second_side": side, "drawn": drawn})
        for side in (None, 160, 320)
        for drawn in (True, False)
    ]
    named = [looks_again(config, choose_engine(config)) for config in configs]

    assert named.count({}) == 1
    assert all(one != other for index, one in enumerate(named) for other in named[:index])
