"""Odd values are refused in one message; standard streams may be closed; masks are honored."""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.cli.command import curate
from tests.exports.shared_set import fill
from webemo_curate.config import PipelineConfig, load_pipeline, override
from webemo_curate.errors import InputError
from webemo_curate.quoting import MESSAGE_CHARACTERS, printable, quoted
from webemo_curate.report import roc_charts
from webemo_curate.storage.atomic import atomic_path
from webemo_curate.storage.held_folders import HeldFolders
from webemo_curate.workspace import Workspace

CURATE = Path(sys.executable).with_name("curate")

ODD = [
    ("split", "ratios", "nan/1/1"),
    ("split", "ratios", "inf/1/1"),
    ("split", "ratios", "1e308/1e308/1e308"),
    ("split", "ratios", "1e-320/0/0"),
    ("split", "seed", 10**30),
    ("undersample", "seed", -(10**30)),
    ("undersample", "positive_fraction", float("nan")),
    ("undersample", "positive_fraction", 1e-320),
    ("undersample", "size", 10**5000),
    ("fetch", "timeout", float("inf")),
    ("fetch", "timeout", 1e300),
    ("fetch", "rate", 1e-320),
    ("fetch", "rate", float("inf")),
    ("fetch", "patience", float("inf")),
    ("fetch", "limit", 10**30),
    ("train", "seed", 2**64),
    ("train", "lr", float("inf")),
    ("train", "lr", 1e-320),
    ("train", "seeds", 10**9),
    ("runner", "cpus", float("nan")),
    ("runner", "memory", 2**70),
]


@pytest.mark.parametrize(("section", "field", "value"), ODD, ids=range(len(ODD)))
def test_odd_numbers_are_refused_in_a_short_message(section: str, field: str, value: Any) -> None:
    with pytest.raises(InputError) as refused:
        override(PipelineConfig(), {section: {field: value}})
    assert len(str(refused.value)) < 400


def test_an_odd_number_on_the_command_line_is_bad_input(tmp_path: Path) -> None:
    for option in (["--timeout", "inf"], ["--rate", "1e-320"]):
        command = [str(CURATE), "fetch", *option, "--workspace", str(tmp_path)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 2
        assert "Traceback" not in result.stderr


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
ODD_FILES = [
    LAUGHS.encode(),
    b"fetch: &a {limit: *a}\n",
    b"fetch: &a [*a]\n",
    b"[" * 5000,
    b"{" * 5000,
    b"a: " * 5000,
    b"- - - - " * 4000,
    b"split: {seed: " + b"9" * 5000 + b"}\n",
    b"split: {ratios: 2026-13-45}\n",
    b"split: {seed: 0x" + b"f" * 5000 + b"}\n",
    b"split: {ratios: 0o9}\n",
    b"split: !!python/object/apply:os.system [true]\n",
    b"split: !!binary '%'\n",
    b"split: !!int ''\n",
    b"split: !!float 'x'\n",
    b"split: !!timestamp x\n",
    b"split: {? [1]: 2}\n",
    b"split: {1: 2}\n",
    b"1: 2\n",
    b"split: [1]\n",
    b"split: x\n",
    b"\xff\xfe",
    b"\0",
    b"- 1\n",
    b"0\n",
    b"''\n",
    b"split: {seed: '\\x1b[2J'}\n",
    b"x: " + b"y" * 300_000,
    b"? !!set {a}\n: 1\n",
    b"<<: [{a: 1}]\n",
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("content", ODD_FILES, ids=range(len(ODD_FILES)))
def test_an_odd_configuration_is_one_message_that_names_the_file(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "curate.yaml"
    file.write_bytes(content)
    with pytest.raises(InputError) as refused:
        load_pipeline(file)
    message = printable(str(refused.value))
    assert str(file) in message
    assert len(message) <= MESSAGE_CHARACTERS + 10
    assert "\x1b" not in message


def test_few_bytes_do_not_keep_a_command_busy(tmp_path: Path) -> None:
    (tmp_path / "curate.yaml").write_text(f"split:\n  ratios: 1\n{LAUGHS}")
    command = [str(CURATE), "status", "--workspace", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 2
    assert len(result.stderr) < 1000


def test_a_workspace_of_others_names_no_cluster(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Who is joined gets code and sends some."""
    named, place = {"kind": "ray", "address": "evil.example:6379"}, ("--workspace", tmp_path)
    (tmp_path / "curate.yaml").write_text(yaml.safe_dump({"runner": named}))
    workspace = Workspace(tmp_path)
    assert workspace.config().runner.kind == "ray"
    assert workspace.config().runner.address is None
    assert "names the Ray cluster 'evil.example:6379', which is not joined for that" in caplog.text
    workspace.save_config(override(PipelineConfig(), {"runner": named}))
    assert "evil" not in (tmp_path / "curate.yaml").read_text()
    said = curate("config", "set", "runner.address", "evil.example:6379", *place)
    assert (said.code, "give --ray-address with each command" in said.rest) == (2, True)


def test_aliases_of_a_sane_file_work(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("split: {seed: &s 7}\nundersample: {seed: *s}\n")
    config = load_pipeline(file)
    assert (config.split.seed, config.undersample.seed) == (7, 7)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*PipelineConfig.model_fields]) | scalars, inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(max_examples=40)
@given(documents)
def test_any_document_is_a_configuration_or_one_message(
    tmp_path_factory: pytest.TempPathFactory, document: Any
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    said = str(file)
    try:
        load_pipeline(file)
    except InputError as error:
        said = str(error)
    assert str(file) in said


@given(st.text())
def test_what_is_printed_moves_no_cursor(text: str) -> None:
    assert all(c.isprintable() or c in "\n\t" for c in printable(text))


def test_what_commands_print_moves_no_cursor(trained: tuple[Workspace, Path]) -> None:
    workspace, run = trained
    picture = next((workspace.root / "data/images").rglob("*.png"))
    config = json.loads((run / "config.json").read_text())
    names = {"classes": ["a\x1b[2Jb", "a\x1b[2Jc"]}
    (run / "config.json").write_text(json.dumps(config | names))
    said = curate("predict", run.name, picture, "--workspace", workspace.root)
    assert said.code == 0, said
    assert "a\\x1b[2J" in said.results
    assert "\x1b" not in said.results + said.rest


def test_values_are_cut() -> None:
    assert len(quoted("x" * 10**7)) < 200
    assert len(quoted(["x" * 50] * 50)) < 200


def test_a_name_with_dollars_is_drawn_as_it_is() -> None:
    import numpy as np

    target, probability = np.array([0, 1, 0, 1]), np.array([0.1, 0.9, 0.4, 0.6])
    scored = {"net_$5_$10": [(target, probability)]}
    page = roc_charts.mean_roc({r"emo_$5_$10 \frac{": scored})
    assert "<svg" in page


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o027, 0o640)])
def test_the_umask_is_honored(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        with atomic_path(tmp_path / "new" / "a") as partial:
            partial.write_bytes(b"x")
        HeldFolders(tmp_path).write("new/b", b"x")
    finally:
        os.umask(before)
    for name in ("a", "b"):
        assert stat.S_IMODE((tmp_path / "new" / name).stat().st_mode) == mode


@pytest.mark.slow
def test_what_commands_write_is_for_the_user_alone_if_the_umask_says_so(
    trained: tuple[Workspace, Path], tmp_path: Path
) -> None:
    """Whatever makes a file: stages, packing, networks, figures, exports, releases, decisions."""
    workspace, run = trained
    shutil.rmtree(workspace.root / "data/packed")
    place, out = ("--workspace", workspace.root), tmp_path / "out"
    whole = ("--workspace", fill(Workspace(tmp_path / "whole")).root)
    picture = next((workspace.root / "data/images").rglob("*.png"))
    (tmp_path / "list.txt").write_text("http://127.0.0.1:9/1.jpg 0\n")
    before = set(tmp_path.rglob("*"))
    commands: list[tuple[object, ...]] = [
        ("fetch", "--lists", tmp_path / "list.txt", "--passes", 1, "--retries", 0, *place),
        ("evaluate", run.name, *place),
        ("predict", run.name, picture, "--figure", out / "figure.png", *place),
        ("show-augmentation", picture, "--to", out / "sheet.png", *place),
        ("export", "imagefolder", "--to", out / "folders", *whole),
        ("export", "csv", "--to", out / "lists", *whole),
        ("release", out / "released", "--license", "unknown", *whole),
        ("report", *whole),
    ]
    mask = os.umask(0o077)
    try:
        for command in commands:
            said = curate(*command)
            assert said.code == 0, (command, said)
    finally:
        os.umask(mask)
    made = set(tmp_path.rglob("*")) - before
    assert {each.name for each in out.iterdir()} == {
        *("figure.png", "sheet.png", "folders", "lists", "released")
    }
    linked = {path for path in made if path.is_file() and path.stat().st_nlink > 1}
    assert not [path for path in made - linked if path.stat().st_mode & 0o077]


def test_standard_streams_may_be_closed(tmp_path: Path) -> None:
    """Without standard error, what is printed goes into no file that the command opens."""
    script = f'exec "{CURATE}" status --workspace "{tmp_path}" 0<&- >&- 2>&-'
    assert subprocess.run(["/bin/sh", "-c", script], check=False).returncode == 0
    script = f'exec "{CURATE}" verify --workspace "{tmp_path}" 2>&-'
    assert subprocess.run(["/bin/sh", "-c", script], check=False).returncode == 2
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_a_closed_pipe_is_no_traceback(tmp_path: Path) -> None:
    script = f'"{CURATE}" status --workspace "{tmp_path}" | true'
    result = subprocess.run(["/bin/sh", "-c", script], check=False, capture_output=True, text=True)
    assert "Traceback" not in result.stderr


def test_unknown_fields_stay_errors() -> None:
    with pytest.raises(ValidationError):
        PipelineConfig.model_validate({"nonsense": 1})
