"""A release, fetched by img2dataset over loopback: it takes the columns and verifies the hashes."""

import json
import subprocess
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.download.site import Site, answer, picture
from tests.exports.separate import python_with
from tests.exports.shared_set import HOST, Drawn

PACKAGES = ("img2dataset==1.47.0",)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_img2dataset_takes_a_release_and_refuses_what_changed(
    released: Path, site: Site, pictures: list[Drawn], tmp_path: Path
) -> None:
    python = python_with(tmp_path / "venv", "IMG2DATASET_PYTHON", *PACKAGES)
    table = pq.read_table(released / "images.parquet")
    urls = pc.replace_substring(table["url"], HOST, site.base)
    served = table.set_column(table.schema.get_field_index("url"), "url", urls)
    pq.write_table(
        served.replace_schema_metadata(table.schema.metadata), tmp_path / "images.parquet"
    )
    changed = next(one for one in pictures if one.sha256 == table["sha256"][0].as_py())
    site.answers[f"/{changed.number}{changed.suffix}"] = answer(picture(4711))
    command = [
        *(python, "-m", "img2dataset.main", "--url_list", tmp_path / "images.parquet"),
        *("--input_format", "parquet", "--url_col", "url", "--output_folder", tmp_path / "out"),
        *("--verify_hash", '["sha256","sha256"]', "--disable_all_reencoding", "True"),
        *("--processes_count", "1", "--thread_count", "2", "--output_format", "files"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told = [json.loads(file.read_text()) for file in (tmp_path / "out").rglob("*_stats.json")]
    assert sum(one["count"] for one in told) == table.num_rows
    assert sum(one["successes"] for one in told) == table.num_rows - 1
