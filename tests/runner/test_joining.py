"""Which cluster of Ray a runner joins: its own, that of an address, that of the environment."""

import tempfile
from pathlib import Path

import pytest

from tests.runner.cluster import in_a_cluster, leave_cluster
from tests.runner.doubling import RAY, job
from webemo_curate.config import PipelineConfig, RunnerConfig
from webemo_curate.errors import CurateError
from webemo_curate.runner.factory import make_runner


@pytest.mark.slow
def test_a_closed_engine_leaves_its_own_cluster_alone_and_can_be_used_again(
    tmp_path: Path,
) -> None:
    leave_cluster()
    first, second = make_runner(RAY), make_runner(RAY)
    first.run(job(tmp_path, [1]))
    second.run(job(tmp_path, [2]))  # in the cluster that the first has joined
    second.close()
    assert in_a_cluster()
    first.close()
    assert not in_a_cluster()
    assert first.run(job(tmp_path, [3]))["doubled"].to_pylist() == [6]


def test_an_address_where_no_cluster_is_says_so(tmp_path: Path) -> None:
    leave_cluster()
    config = RunnerConfig(kind="ray", address="127.0.0.1:1")
    with pytest.raises(CurateError, match=r"no cluster at 127\.0\.0\.1:1"):
        make_runner(PipelineConfig(runner=config)).run(job(tmp_path, [1]))


@pytest.mark.slow
def test_a_cluster_noted_by_others_is_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_cluster()
    with tempfile.TemporaryDirectory(prefix="ray") as folder:  # short: sockets are made in it
        monkeypatch.setenv("RAY_TMPDIR", folder)
        note = Path(folder, "ray", "ray_current_cluster")  # 'ray start' leaves it there
        note.parent.mkdir()
        note.write_text("127.0.0.1:1")
        assert make_runner(RAY).run(job(tmp_path, [1]))["doubled"].to_pylist() == [2]
        leave_cluster()


@pytest.mark.slow
def test_the_cluster_of_the_environment_is_joined_as_by_rays_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_cluster()
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(CurateError, match=r"no cluster at 127\.0\.0\.1:1"):
        make_runner(RAY).run(job(tmp_path, [1]))
    monkeypatch.setenv("RAY_ADDRESS", "local")
    assert make_runner(RAY).run(job(tmp_path, [1]))["doubled"].to_pylist() == [2]
