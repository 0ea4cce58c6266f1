"""Pictures that are lost or changed: what `verify` says to do mends them."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pyarrow.parquet as pq

from tests.e2e.conftest import CURATE, curate
from webemo_curate.manifest import read_info

STAGES = ("fetch", "images", "ocr", "test")


def test_the_remedy_that_verify_names_mends_when_it_is_pasted(
    curated: Path, tmp_path: Path
) -> None:
    workspace = tmp_path / "work space"
    shutil.copytree(curated, workspace, symlinks=True)
    paths = pq.read_table(workspace / "manifests" / "train.parquet")["path"].to_pylist()
    lost, changed = (workspace / path for path in paths[:2])
    sound = [lost.read_bytes(), changed.read_bytes()]
    before = [read_info(workspace / "manifests" / f"{name}.parquet") for name in STAGES]
    lost.unlink()
    changed.write_bytes(sound[1][:-1] + b"?")

    said = subprocess.run(
        [CURATE, "verify", "--workspace", workspace], capture_output=True, text=True, check=False
    )
    assert said.returncode == 1
    (remedy,) = set(re.findall(r"run '(curate .*?)', which", said.stdout + said.stderr))
    name, *arguments = shlex.split(remedy)
    assert name == "curate"
    curate(*arguments)

    assert [lost.read_bytes(), changed.read_bytes()] == sound
    after = [read_info(workspace / "manifests" / f"{name}.parquet") for name in STAGES]
    assert before == after, "nothing that was made of the pictures is done again"
    curate("verify", "--workspace", workspace)
