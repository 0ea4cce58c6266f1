"""A preset sets defaults: given options win, and it survives being stored and overridden."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from webemo_curate.config import PRESETS, PipelineConfig, TrainConfig, override
from webemo_curate.workspace import Workspace


def test_paper_is_the_default() -> None:
    assert TrainConfig() == TrainConfig(preset="paper")


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_sets_what_it_says_and_given_fields_win(preset: str) -> None:
    config = TrainConfig.model_validate({"preset": preset, "epochs": 3})
    assert config.epochs == 3
    for field, value in PRESETS[preset].items():
        assert field == "epochs" or getattr(config, field) == value


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_survives_json(preset: str) -> None:
    config = TrainConfig.model_validate({"preset": preset})
    assert TrainConfig.model_validate_json(config.model_dump_json()) == config


def test_preset_given_later_resets_what_presets_set_but_no_other_options(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    first = override(PipelineConfig(), {"train": {"preset": "beyond", "lr": 0.1, "seed": 3}})
    place.save_config(first)
    assert place.config() == first
    second = override(place.config(), {"train": {"preset": "paper"}})
    assert second.train == TrainConfig(seed=3)
    third = override(second, {"train": {"preset": "paper", "lr": 0.1}})
    assert third.train == TrainConfig(seed=3, lr=0.1)


def test_unknown_preset_is_refused() -> None:
    with pytest.raises(ValidationError, match="preset"):
        TrainConfig.model_validate({"preset": "best"})
