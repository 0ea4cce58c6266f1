"""A shipped experiment file trains, measures and compares all its networks."""

from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import curate
from tests.experiments.drawn_answers import PIPELINES
from tests.trainable import TINY, draw_set, make_workspace

SMALL = {"epochs": 1, "seeds": 1}
TINY_FIELDS = TINY.model_dump(mode="json", exclude={"grams", "seeds", "epochs"}, exclude_unset=True)


@pytest.mark.slow
def test_the_search_over_randaugment_runs_to_its_page(tmp_path: Path) -> None:
    """Networks and draws are the file's; backbone, size and epochs are not."""
    name = "randaugment"
    document = yaml.safe_load((PIPELINES / f"{name}.yaml").read_text())
    document["common"] |= SMALL | TINY_FIELDS
    file = tmp_path / f"{name}.yaml"
    file.write_text(yaml.safe_dump(document))
    workspace = make_workspace(tmp_path / "ws")
    sets = draw_set(tmp_path / "UnbiasedEmo"), draw_set(tmp_path / "Emotion-6")
    asked = [part for place in sets for part in ("--test-set", place)]
    curate("experiment", file, *asked, "--workspace", workspace.root)
    folder = workspace.root / "experiments" / name
    page = (folder / "results.md").read_text()
    for network in document["networks"]:
        assert network in page
    for words in ("UnbiasedEmo", "Emotion-6", "no verdict"):
        assert words in page
    assert len([*workspace.runs.iterdir()]) == len(document["networks"])
    assert [*folder.rglob("*.png")] or [*folder.rglob("*.svg")]
