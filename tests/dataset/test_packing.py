"""Packed files are the same whoever writes them, and a training cannot do without an image."""

import numpy as np
import pytest

from tests.runner.cluster import in_a_cluster
from tests.trainable import SIZES, TINY
from tests.work import work_on
from webemo_curate.config import PipelineConfig, RunnerConfig
from webemo_curate.dataset import packing
from webemo_curate.dataset.packing import PACKED, pack
from webemo_curate.dataset.squares import read_square
from webemo_curate.errors import InputError
from webemo_curate.workspace import Workspace

FILE_IMAGES = 5


@pytest.fixture(autouse=True)
def _small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "SHARD_IMAGES", FILE_IMAGES)


def named(workspace: Workspace) -> tuple[list[str], list[str]]:
    table = workspace.read("train", ["sha256", "path"])
    return table["sha256"].to_pylist(), table["path"].to_pylist()


@pytest.mark.parametrize("kind", ["local", pytest.param("ray", marks=pytest.mark.slow)])
def test_every_engine_packs_the_same_pixels(workspace: Workspace, kind: str) -> None:
    workspace.save_config(PipelineConfig(runner=RunnerConfig(kind=kind), workers=2))
    names, paths = named(workspace)
    files = pack(names, paths, TINY, work_on(workspace))
    assert [len(file) for file in files] == [FILE_IMAGES] * 3 + [SIZES["train"] % FILE_IMAGES]
    squares = [read_square(workspace.reader, path, TINY, 10**6) for path in paths]
    assert np.array_equal(np.concatenate(files), np.stack(squares))
    assert not workspace.store.keys("data/checkpoints")
    assert not in_a_cluster()


def test_only_missing_files_are_written(workspace: Workspace) -> None:
    names, paths = named(workspace)
    pack(names, paths, TINY, work_on(workspace))
    keys = workspace.store.keys(PACKED)
    workspace.store.remove(keys[1])
    before = {key: (workspace.root / key).stat().st_mtime_ns for key in keys if key != keys[1]}
    pack(names, paths, TINY, work_on(workspace))
    assert workspace.store.keys(PACKED) == keys
    assert all((workspace.root / key).stat().st_mtime_ns == then for key, then in before.items())


def test_a_missing_image_is_named(workspace: Workspace) -> None:
    names, paths = named(workspace)
    (workspace.root / paths[7]).unlink()
    with pytest.raises(InputError, match=paths[7]):
        pack(names, paths, TINY, work_on(workspace))
