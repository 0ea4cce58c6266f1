"""Names in a bucket are names, whatever they hold: below its prefix, and below its local copies."""

import importlib
import uuid
from pathlib import Path

import pytest
from botocore.session import get_session

from tests.cli.command import curate
from tests.storage.server import Faulty
from webemo_curate.storage.bucket import BucketStore
from webemo_curate.workspace import open_workspace

ODD_KEYS = [
    "data/runs/../../../../../../escaped/done.json",
    "data/runs/x/../../../../../escaped/done.json",
    "data/packed/../../../../escaped.npy",
    "data/runs/./done.json",
    "data/runs//done.json",
    "data/reviews/../../escaped.jsonl",
    "manifests/../../../escaped.parquet",
    "/manifests/train.parquet",
]


@pytest.mark.parametrize("mark", ["#", "?", "%23", ";", "&x="])
def test_prefixes_that_differ_behind_any_character_are_two(s3: Faulty, mark: str) -> None:
    places = [f"s3://{s3.bucket}/{uuid.uuid4().hex[:8]}{mark}{number}" for number in (1, 2)]
    for number, place in enumerate(places):
        said = curate("config", "set", "split.seed", number, "--workspace", place)
        assert said.code == 0, said
    workspaces = [open_workspace(place) for place in places]
    assert [each.config().split.seed for each in workspaces] == [0, 1]
    assert workspaces[0].root != workspaces[1].root
    keys = [BucketStore(f"s3://{s3.bucket}").keys(place.rpartition("/")[2]) for place in places]
    assert [[key.rpartition("/")[2] for key in each] for each in keys] == [["curate.yaml"]] * 2


def test_keys_that_lead_elsewhere_are_left_alone(s3: Faulty, url: str, tmp_path: Path) -> None:
    client = get_session().create_client("s3", endpoint_url=s3.url)
    prefix = url.rpartition("/")[2]
    for key in ODD_KEYS:
        client.put_object(Bucket=s3.bucket, Key=f"{prefix}/{key}", Body=b"theirs")
    stored = client.list_objects_v2(Bucket=s3.bucket, Prefix=prefix)["Contents"]
    assert {each["Key"] for each in stored} == {f"{prefix}/{key}" for key in ODD_KEYS}
    importlib.import_module("matplotlib.font_manager")  # writes a cache when first loaded
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    for command in (["status"], ["runs"], ["evaluate"], ["report"], ["review", "--list"]):
        said = curate(*command, "--workspace", url)
        assert "Traceback" not in said.rest, said
    store = BucketStore(url)
    store.pull("data/runs")
    for key in ODD_KEYS:
        assert key not in store.keys(key.partition("/")[0] or "manifests")
    made = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert all(path.is_relative_to(store.root) for path in made), made
    store.remove("data/runs")
    left = {each["Key"] for each in client.list_objects_v2(Bucket=s3.bucket)["Contents"]}
    assert all(f"{prefix}/{key}" in left for key in ODD_KEYS if not key.startswith("data/runs"))
