"""What a workspace remembers of options, how it is shown, taken back and overruled."""

import json
from pathlib import Path

import pytest

from tests.cli.command import curate
from webemo_curate.config import TAKEN_BACK, PipelineConfig, load_pipeline, override
from webemo_curate.errors import InputError


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a workspace that remembers some options."""
    (tmp_path / "curate.yaml").write_text(
        "filter_text:\n  preset: strict\n  threshold: 0.7\n"
        "train:\n  from_scratch: true\n  epochs: 3\nfetch:\n  limit: 10\n"
    )
    return tmp_path


def test_settings_are_shown_with_where_they_come_from(place: Path) -> None:
    shown = curate("config", "show", "--workspace", place, "--json")
    settings = json.loads(shown.results)["settings"]
    assert settings["train.epochs"] == {"value": 3, "from": "curate.yaml:6"}
    assert settings["train.batch_size"]["from"] == "preset paper"
    assert settings["split.seed"]["from"] == "default"


def test_a_setting_is_set_and_taken_back(place: Path) -> None:
    assert curate("config", "set", "--epochs", "--workspace", place).code == 2
    assert curate("config", "set", "train.epochs", "7", "--workspace", place).code == 0
    assert load_pipeline(place / "curate.yaml").train.epochs == 7
    assert curate("config", "set", "--limit", "5", "--workspace", place).code == 0
    assert load_pipeline(place / "curate.yaml").fetch.limit == 5
    said = curate("config", "unset", "train.epochs", "--workspace", place)
    assert "train.epochs is 25" in said.results
    assert load_pipeline(place / "curate.yaml").train.epochs == 25
    again = curate("config", "unset", "train.epochs", "--workspace", place)
    assert (again.code, "is not set" in again.rest) == (2, True)
    wrong = curate("config", "set", "train.epoch", "7", "--workspace", place)
    assert "did you mean 'train.epochs'?" in wrong.rest
    impossible = curate("config", "set", "train.epochs", "0", "--workspace", place)
    assert impossible.code == 2
    assert load_pipeline(place / "curate.yaml").train.epochs == 25


def test_a_preset_that_is_named_resets_what_it_sets(place: Path) -> None:
    config = load_pipeline(place / "curate.yaml")
    assert override(config, {"filter_text": {"preset": "lenient"}}).filter_text.threshold is None
    both = override(config, {"filter_text": {"preset": "lenient", "threshold": 0.4}})
    assert both.filter_text.threshold == 0.4
    assert override(config, {"train": {"preset": "zhang"}}).train.epochs == 60


def test_explicit_weights_mean_pretrained_and_must_be_there(place: Path) -> None:
    config = override(load_pipeline(place / "curate.yaml"), {"train": {"weights": "nosuch.pth"}})
    assert not config.train.from_scratch
    said = curate("train-model", "--weights", "nosuch.pth", "--only", "--workspace", place)
    assert (said.code, "nosuch.pth: no such file" in said.rest) == (2, True)
    assert f"'curate get-weights timm --workspace {place}' downloads" in said.rest
    with pytest.raises(InputError, match="one of the two"):
        override(PipelineConfig(), {"train": {"weights": "a.pth", "from_scratch": True}})


def test_none_takes_a_setting_back_as_it_does_an_option(place: Path) -> None:
    assert curate("config", "set", "fetch.limit", "100", "--workspace", place).code == 0
    assert load_pipeline(place / "curate.yaml").fetch.limit == 100
    assert curate("config", "set", "fetch.limit", "none", "--workspace", place).code == 0
    assert load_pipeline(place / "curate.yaml").fetch.limit is None


def test_none_takes_a_remembered_limit_back(place: Path) -> None:
    config = load_pipeline(place / "curate.yaml")
    assert override(config, {"fetch": {"limit": TAKEN_BACK}}).fetch.limit is None
    (place / "list.txt").write_text("http://127.0.0.1:9/1.jpg 3\n")
    said = curate(
        *("fetch", "--lists", place / "list.txt", "--limit", "none", "--retries", "0"),
        *("--passes", "1", "--workspace", place),
    )
    assert said.code == 0, said
    assert load_pipeline(place / "curate.yaml").fetch.limit is None
    assert "1 of 1 URLs gave no picture (1 connection); 0 images remain" in said.results
    assert f"Next: curate filter-text --workspace {place}" in said.results
