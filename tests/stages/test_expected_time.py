"""What is said of the time left follows the pace at which stages ran here."""

import pytest

from webemo_curate.config import PipelineConfig
from webemo_curate.pipeline import build_stages
from webemo_curate.stages.expected_time import ExpectedTime

STAGES = {stage.name: stage for stage in build_stages(PipelineConfig())}
LATER = [STAGES[name] for name in ("ocr", "text", "features")]


def test_a_slow_machine_takes_longer_for_what_follows_too() -> None:
    usual = ExpectedTime(2).of([STAGES["images"]], 1000)
    here = ExpectedTime(2)
    before = here.of(LATER, 1000)
    here.saw(STAGES["images"], 1000, 3 * usual)
    assert here.of(LATER, 1000) == pytest.approx(3 * before)


def test_workers_share_the_work_and_whole_tables_count_as_none() -> None:
    assert ExpectedTime(4).of(LATER, 1000) == pytest.approx(ExpectedTime(1).of(LATER, 250))
    assert ExpectedTime(1).of([STAGES["text"]], 1000) == 0
    here = ExpectedTime(1)
    before = here.of(LATER, 1000)
    here.saw(STAGES["text"], 1000, 5.0)
    assert here.of(LATER, 1000) == before
