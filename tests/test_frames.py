"""Whole numbers stay whole, from a manifest to pandas and through every stage that uses pandas."""

import ast
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.stages.tables import listing, manifest, sha
from tests.work import work_on
from webemo_curate.config import (
    BinarizeConfig,
    DecodingConfig,
    DedupConfig,
    MatchingConfig,
    PipelineConfig,
    SplitConfig,
)
from webemo_curate.conform import conform
from webemo_curate.duplicates.leakage import mark_shared
from webemo_curate.errors import InputError
from webemo_curate.frames import to_frame
from webemo_curate.manifest import Origin, write_manifest
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.schemas import SCHEMAS
from webemo_curate.stages.binarize import BinarizeStage
from webemo_curate.stages.dedup import DedupStage
from webemo_curate.stages.pairs import PairsStage
from webemo_curate.stages.split import SplitStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.table_digest import content_digest
from webemo_curate.workspace import Workspace

ROOT = Path(__file__).parents[1]
ORIGIN = Origin("test", 1, {}, {})
INTEGERS = [getattr(pa, f"{sign}int{bits}")() for sign in ("", "u") for bits in (8, 16, 32, 64)]
FEW_EXAMPLES = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

hashes = st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=12)


@given(st.sampled_from(INTEGERS), st.data())
def test_a_frame_holds_the_numbers_of_its_table(kind: pa.DataType, data: st.DataObject) -> None:
    limits = np.iinfo(str(kind))
    numbers = st.none() | st.integers(int(limits.min), int(limits.max))
    values = data.draw(st.lists(numbers, max_size=9))
    frame = to_frame(pa.table({"n": pa.array(values, kind)}))
    assert [None if value is pd.NA else int(value) for value in frame["n"]] == values


def test_plain_pandas_reads_a_manifests_numbers_whole(tmp_path: Path) -> None:
    large = 2**64 - 1
    rows = [{"sha256": sha(n), "phash": large if n else None} for n in range(2)]
    write_manifest(tmp_path / "images.parquet", "images", manifest("images", rows), ORIGIN)
    frame = pd.read_parquet(tmp_path / "images.parquet")
    assert [int(value) for value in frame["phash"].dropna()] == [large]
    integers = [f.name for f in SCHEMAS["images"] if pa.types.is_integer(f.type)]
    assert all(pd.api.types.is_extension_array_dtype(frame[name].dtype) for name in integers)
    # A merge that finds no partner for a row leaves the others' numbers whole too.
    joined = pd.DataFrame({"sha256": [sha(0), sha(1), "x"]}).merge(frame, how="left")
    assert [int(value) for value in joined["phash"].dropna()] == [large]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_digest_is_of_the_values_alone(name: str) -> None:
    table = _two_rows(name)
    copy = pa.Table.from_pylist(table.to_pylist(), schema=SCHEMAS[name])
    assert content_digest(table) == content_digest(copy)


def test_tables_become_frames_in_one_place_only() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in (ROOT / "webemo_curate").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"to_pandas", "read_parquet"}
    ]
    assert [place.partition(":")[0] for place in found] == ["webemo_curate/frames.py"], found


@pytest.mark.parametrize("page", ["README.md", "manifests/README.md"])
def test_what_the_pages_show_in_pandas_keeps_numbers_whole(page: str, tmp_path: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    folder = re.search(r'"(\w[\w/]*manifests|manifests)/', "".join(blocks))
    assert folder
    for name in ("train", "decisions", "images", "text", "duplicates", "sample"):
        path = tmp_path / folder[1] / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_manifest(path, name, _two_rows(name), ORIGIN)
    seen: dict[str, Any] = {}
    for block in blocks:
        code = block.replace(f'"{folder[1]}/', f'"{tmp_path / folder[1]}/')
        exec(compile(code, page, "exec"), seen)
    frames = {name: value for name, value in seen.items() if isinstance(value, pd.DataFrame)}
    assert {"train", "decisions"} <= set(frames)
    for name, frame in frames.items():
        schema = SCHEMAS["sample" if name == "manifest" else name]
        for field in schema:
            if pa.types.is_integer(field.type):
                assert pd.api.types.is_integer_dtype(frame[field.name].dtype), (name, field.name)


def _two_rows(name: str) -> pa.Table:
    """Return one row with every value there, and one that lacks those that may be missing."""
    schema = SCHEMAS[name]
    full = {field.name: _any_value(field.type) for field in schema}
    bare = {field.name: None for field in schema if field.nullable}
    return _made(name, [full, full | bare])


def _made(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    schema = SCHEMAS[name]
    plain = {
        field.name: field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        for field in schema
    }
    columns = {key: pa.array([row[key] for row in rows], kind) for key, kind in plain.items()}
    return conform(pa.table(columns), schema)


def _any_value(kind: pa.DataType) -> object:
    if pa.types.is_dictionary(kind):
        return "x"
    if pa.types.is_list(kind):
        return []
    if pa.types.is_fixed_size_binary(kind):
        return bytes(kind.byte_width)
    return "x" if pa.types.is_string(kind) else pa.scalar(1).cast(kind).as_py()


def _tables(values: list[int], undecodable: int) -> dict[str, pa.Table]:
    """Return the stages' inputs: a picture a hash, and pictures that did not decode.

    All look like one picture, so that the hashes decide.
    """
    from webemo_curate.duplicates.perceptual import reduce_color, reduce_gray

    picture = _picture(0)
    look = {"gray": reduce_gray(picture)[0].tobytes(), "color": reduce_color(picture).tobytes()}
    images = [
        {
            "sha256": sha(n),
            "pixel_hash": sha(f"pixels {value}"),
            "phash": value,
            "phash_mirrored": ~value & (2**64 - 1),
            **look,
        }
        for n, value in enumerate(values)
    ]
    broken = [
        {"sha256": sha(f"broken {n}"), "decode_status": "corrupt", "width": None, "height": None}
        for n in range(undecodable)
    ]
    names = [row["sha256"] for row in images + broken]
    text = [
        {"sha256": name, "verdict": "clean" if n < len(images) else "unreadable"}
        for n, name in enumerate(names)
    ]
    lines = [
        {"url": f"http://x/{name}", "label": ["sadness", "zest"][n % 2]}
        for n, name in enumerate(names)
    ]
    return {
        "images": manifest("images", images + broken),
        "text": manifest("text", text),
        "features": SCHEMAS["features"].empty_table(),
        "fetch": manifest("fetch", [{"url": f"http://x/{n}", "sha256": n} for n in names]),
        "listing": listing(lines),
    }


def _run(tables: dict[str, pa.Table], context: StageContext) -> dict[str, list[dict[str, Any]]]:
    tables = dict(tables)
    for stage in (
        PairsStage(MatchingConfig(), DecodingConfig()),
        DedupStage(DedupConfig(distance=8)),
        BinarizeStage(BinarizeConfig()),
    ):
        tables |= stage.run(tables, context)
    labels = tables["labels"].to_pylist()
    sample = [
        {"sha256": row["cluster"], "target": row["target"], "label": row["label"]}
        for row in labels
        if row["verdict"] == "kept"
    ]
    tables["sample"] = manifest("sample", sample)
    try:
        splits = SplitStage(SplitConfig()).run(tables, context)
    except InputError as error:  # too few for three splits
        return {"error": [{"message": str(error)}]}
    names = ("duplicates", "labels", *splits)
    return {name: (tables | splits)[name].to_pylist() for name in names}


@FEW_EXAMPLES
@given(values=hashes, near=st.integers(0, 2**12 - 1), undecodable=st.integers(1, 3))
def test_undecodable_rows_change_nothing_for_the_others(
    values: list[int], near: int, undecodable: int, tmp_path: Path
) -> None:
    context = StageContext(Workspace(tmp_path), LocalRunner(1), "0" * 64)
    values = [*values, values[0] ^ near]  # apart in the bits that a float would round away
    assert _run(_tables(values, 0), context) == _run(_tables(values, undecodable), context)


def _picture(seed: int) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("distance", [8, 10])
def test_a_broken_file_in_a_test_set_changes_nothing_for_the_others(
    tmp_path: Path, distance: int
) -> None:
    """A picture ten bits away is found at ten bits, and is not at eight, whatever lies beside."""
    from webemo_curate.duplicates.perceptual import picture_hashes

    workspace = Workspace(tmp_path / "workspace")
    ((upright, _),) = picture_hashes([_picture(0)]).tolist()
    tables = _tables([upright ^ (2**10 - 1)], 1)
    images = to_frame(tables["images"])
    context = StageContext(workspace, LocalRunner(1), "0" * 64)
    tables |= PairsStage(MatchingConfig(), DecodingConfig()).run(tables, context)
    tables |= DedupStage(DedupConfig()).run(tables, context)
    assert images["phash"].isna().sum() == 1
    for name in ("images", "features", "duplicates"):
        workspace.write(name, tables[name], ORIGIN)
    found = []
    for broken in (False, True):
        folder = tmp_path / f"{broken}" / "set"
        folder.mkdir(parents=True)
        _picture(0).save(folder / "one.png")
        if broken:
            (folder / "broken.jpg").write_bytes(b"no picture")
        config = PipelineConfig(dedup=DedupConfig(distance=distance))
        shared = mark_shared(folder, work_on(workspace, config), LocalRunner(1))
        rows = shared.matches.select(["sha256", "matched", "method", "distance"]).to_pylist()
        found.append(rows)
    assert found[0] == found[1]
    assert [row["distance"] for row in found[0]] == ([10.0] if distance == 10 else [])
