"""The text stage decides from stored boxes, and again whenever the rule moves."""

import pytest

from tests.stages.tables import manifest
from webemo_curate.config import FilterTextConfig
from webemo_curate.manifest import empty_table
from webemo_curate.stages.text import TextStage


def box(text, confidence, area=0.05, score=0.55):
    return {
        "polygon": [0.0] * 8,
        "score": score,
        "text": text,
        "confidence": confidence,
        "agreed": 0.0,
        "drawn": False,
        "frame": 0,
        "support": None,
        "periodic": 0.0,
        "area": area,
    }


def ocr(**images):
    """Return an ocr manifest: name -> boxes, or None for an unreadable image."""
    rows = [
        {
            "sha256": name,
            "engine": "rapidocr",
            "engine_version": "1",
            "readable": boxes is not None,
            "error": None if boxes is not None else "broken",
            "boxes": boxes or [],
        }
        for name, boxes in images.items()
    ]
    return manifest("ocr", rows)


def judge(context, table, **config):
    text = TextStage(FilterTextConfig(**config)).run({"ocr": table}, context)["text"]
    return {row["sha256"]: row for row in text.to_pylist()}


def verdicts(context, table, **config):
    return {name: row["verdict"] for name, row in judge(context, table, **config).items()}


def test_every_image_gets_one_verdict(context):
    table = ocr(worded=[box("SALE", 0.9)], clean=[], guess=[box("SALE", 0.3)], broken=None)

    assert verdicts(context, table) == {
        "worded": "text",
        "clean": "clean",
        "guess": "clean",
        "broken": "unreadable",
    }


def test_scores_areas_and_words_are_recorded_beside_the_verdict(context):
    row = judge(context, ocr(a=[box("SALE", 0.9, 0.1), box("NOW", 0.8, 0.02)]))["a"]

    assert row["score"] == pytest.approx(0.9)
    assert row["threshold"] == pytest.approx(0.6)
    assert row["area"] == pytest.approx(0.12)
    assert row["text"] == "SALE NOW"
    assert len(row["boxes"]) == 2


def test_a_clean_image_keeps_the_score_it_missed_by(context):
    row = judge(context, ocr(a=[box("SALE", 0.4)]))["a"]

    assert (row["score"], row["threshold"]) == (pytest.approx(0.4), pytest.approx(0.6))
    assert row["text"] == ""


def test_options_move_the_verdict(context):
    table = ocr(a=[box("SALE", 0.4, 0.05)])

    assert verdicts(context, table) == {"a": "clean"}
    assert verdicts(context, table, threshold=0.4) == {"a": "text"}
    assert verdicts(context, table, threshold=0.4, min_area=0.06) == {"a": "clean"}
    assert verdicts(context, table, preset="strict") == {"a": "text"}
    sure = ocr(a=[box("SALE", 0.7, 0.05)])
    assert verdicts(context, sure) == {"a": "text"}
    assert verdicts(context, sure, preset="lenient") == {"a": "clean"}


def test_the_configuration_holds_the_rule_alone():
    plain = TextStage(FilterTextConfig()).configuration()

    assert TextStage(FilterTextConfig(short_side=448, device="gpu")).configuration() == plain
    for moved in ({"preset": "strict"}, {"threshold": 0.5}, {"min_area": 0.01}):
        assert TextStage(FilterTextConfig(**moved)).configuration() != plain


def test_no_images_give_no_verdicts(context):
    assert judge(context, empty_table("ocr")) == {}
