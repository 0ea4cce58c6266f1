"""A whole-table stage that is killed goes on by the same command, and leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.stages.corpus import corpus, draw_labels
from tests.stages.tables import manifest
from webemo_curate.config import PipelineConfig
from webemo_curate.manifest import Origin
from webemo_curate.pipeline import Pipeline, build_stages
from webemo_curate.schemas import SCHEMAS
from webemo_curate.workspace import Workspace

IMAGES = 20_000
STAGES = ("dedup", "binarize", "undersample", "split", "decisions")
RUNS = """
import sys
from pathlib import Path
from webemo_curate.config import PipelineConfig
from webemo_curate.pipeline import Pipeline
from webemo_curate.workspace import Workspace
[*Pipeline(Workspace(Path(sys.argv[1])), PipelineConfig()).run(sys.argv[2], only=True)]
"""


def run(place: Path, stage: str) -> None:
    assert [
        each.stage for each in Pipeline(Workspace(place), PipelineConfig()).run(stage, only=True)
    ]


def spills(place: Path) -> list[Path]:
    return [*(place / "data").glob(".spill*")]


def kill_while_it_runs(place: Path, stage: str) -> None:
    """Start a stage in a process of its own, and kill it once its engine is at work."""
    running = subprocess.Popen([sys.executable, "-c", RUNS, str(place), stage])
    while not spills(place):
        assert running.poll() is None
        time.sleep(0.001)
    os.kill(running.pid, signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL


@pytest.mark.slow
def test_a_killed_stage_goes_on_and_leaves_no_spill(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    tables = corpus(draw_labels(IMAGES, 0.3), [number // 3 for number in range(IMAGES)])
    tables.pop("duplicates")
    tables["text"] = manifest(
        "text", [{"sha256": n} for n in tables["images"]["sha256"].to_pylist()]
    )
    tables["pairs"] = SCHEMAS["pairs"].empty_table()
    for name, table in tables.items():
        Workspace(whole).write(name, table, Origin(name, 1, {}, {}))
    shutil.copytree(whole, killed)
    outputs = {stage.name: stage.outputs for stage in build_stages(PipelineConfig())}
    for stage in STAGES:
        run(whole, stage)
        kill_while_it_runs(killed, stage)
        made = [f"manifests/{name}.parquet" for name in outputs[stage]]
        assert not any((killed / file).exists() for file in made)
        assert spills(killed)
        run(killed, stage)
        for file in made:
            assert (killed / file).read_bytes() == (whole / file).read_bytes()
        assert not spills(killed)
