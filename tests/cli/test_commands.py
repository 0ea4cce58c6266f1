"""The command's promises: quick help, exit codes, one message for bad input."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CURATE = Path(sys.executable).with_name("curate")
HEAVY = ("torch", "onnxruntime", "rapidocr", "easyocr", "matplotlib", "timm", "pandas", "ray")


def curate(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(CURATE), *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("module", ["webemo_curate", "webemo_curate.cli", "webemo_curate.pipeline"])
def test_importing_loads_no_heavy_package(module: str) -> None:
    code = f"import sys, {module}; print([n for n in {HEAVY!r} if n in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("asked", [["--help"], ["--version"], ["fetch", "--help"]])
def test_an_answer_about_the_command_loads_no_tables_or_event_loop(asked: list[str]) -> None:
    spared = (*HEAVY, "pyarrow", "numpy", "duckdb", "asyncio", "PIL", "psutil", "pycurl", "tqdm")
    code = (
        "import atexit, sys\n"
        f"shown = lambda: print([n for n in {spared!r} if n in sys.modules], file=sys.stderr)\n"
        "atexit.register(shown)\n"
        f"sys.argv = ['curate', *{asked!r}]\n"
        "from webemo_curate.cli import main\n"
        "main()\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout
    assert out.stderr.strip() == "[]"


def test_every_option_says_its_default_and_its_old_name_still_works(tmp_path: Path) -> None:
    shown = curate("filter-text", "-h").stdout
    assert "--ocr" in shown
    assert "--engine" not in shown
    (tmp_path / "test25.txt").write_text("https://a.example/1.jpg 3\n")
    (tmp_path / "curate.yaml").write_text("listing: {lists: [test25.txt]}\nengine: {kind: local}\n")
    old = curate("filter-text", "--engine", "easyocr", "--dry-run", "--workspace", tmp_path)
    assert "--engine is --ocr now" in old.stderr


def test_version_and_quiet(tmp_path: Path) -> None:
    assert curate("--version").stdout.startswith("webemo-curate ")
    (tmp_path / "test25.txt").write_text("http://127.0.0.1:9/1.jpg 3\n")
    result = curate(
        *("fetch", "-q", "--retries", 0, "--passes", 1, "--lists", tmp_path / "test25.txt"),
        *("--workspace", tmp_path),
    )
    assert result.returncode == 0
    assert result.stderr == ""
    assert "2 of 2 stages ran" in result.stdout


def test_help_names_every_command() -> None:
    shown = curate("--help").stdout
    for command in (
        "fetch",
        "filter-text",
        "dedup",
        "binarize",
        "undersample",
        "split",
        "train-model",
        "evaluate",
        "predict",
        "run",
        "export",
        "release",
        "rebuild",
        "status",
        "verify",
        "report",
    ):
        assert command in shown


ENDS_EARLY = """
import sys
from webemo_curate import workspace
from webemo_curate.cli.entry import run

def end(*_):
    raise EOFError

workspace.open_workspace = end
sys.argv = ["curate", "config", "show"]
run()
"""


def test_an_end_of_a_file_that_nobody_expected_is_shown_whole() -> None:
    """Typer takes it for an answer that a person did not give, and says 'Aborted.' alone."""
    program = [sys.executable, "-c", ENDS_EARLY]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Aborted" not in done.stderr
    assert "EOFError" in done.stderr


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (
            b"https://a.example/1.jpg 3\nhttps://a.example/2.jpg\n",
            ":2: the row has 1 fields",
        ),
        (
            b"https://a.example/1.jpg 3\nhttps://a.example/2.jpg 25\n",
            ":2: the row has the label 25, which is outside 0-24",
        ),
        (b"https://a.example/1.jpg x\n", ":1: the row has a label that is not known: 'x'"),
        (b"https://a.example/\xff.jpg 3\n", ":1: the row is not UTF-8"),
        (b"", "the list is empty"),
    ],
)
def test_bad_list_is_one_message_and_exit_code_2(
    tmp_path: Path, content: bytes, remedy: str
) -> None:
    file = tmp_path / "test25.txt"
    file.write_bytes(content)
    result = curate("fetch", "--lists", file, "--workspace", tmp_path / "ws")
    assert result.returncode == 2
    (message,) = [line for line in result.stderr.splitlines() if line.startswith("curate:")]
    assert str(file) in message
    assert remedy in message
    assert "Traceback" not in result.stderr


def test_impossible_option_is_exit_code_2(tmp_path: Path) -> None:
    result = curate("undersample", "--positive-fraction", "1.5", "--workspace", tmp_path)
    assert result.returncode == 2
    assert "curate: --positive-fraction: Input should be less than 1" in result.stderr


def test_a_gpu_that_is_not_here_is_said_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    (tmp_path / "test25.txt").write_text("https://a.example/1.jpg 3\n")
    (tmp_path / "curate.yaml").write_text(f"listing: {{lists: [{tmp_path / 'test25.txt'}]}}\n")
    result = curate("filter-text", "--gpu", "--workspace", tmp_path)
    assert result.returncode == 2
    assert "--gpu: torch finds no CUDA device here" in result.stderr
    assert "runs, as" not in result.stderr
    assert "Traceback" not in result.stderr


def test_status_of_an_empty_workspace_as_json(tmp_path: Path) -> None:
    result = curate("status", "--workspace", tmp_path, "--json")
    assert result.returncode == 0
    document = json.loads(result.stdout.splitlines()[-1])
    assert all(reason for reason in document["stages"].values())


def test_verify_without_manifests_says_what_to_run(tmp_path: Path) -> None:
    result = curate("verify", "--workspace", tmp_path)
    assert result.returncode == 2
    assert "curate split" in result.stderr


def test_the_shell_completes_commands() -> None:
    completed = subprocess.run(
        [str(CURATE)],
        env=os.environ
        | {"_CURATE_COMPLETE": "complete_bash", "COMP_WORDS": "curate und", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.stdout.split() == ["undersample"]
