"""The commands that README, the pages and the notebook show can be typed as they stand."""

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_every_command import EVERY, flags

ROOT = Path(__file__).parents[2]
GENERATED = ("commands.md", "configuration.md", "manifests.md")
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    ROOT / "manifests" / "README.md",
    *(page for page in sorted((ROOT / "docs").glob("*.md")) if page.name not in GENERATED),
    ROOT / "docs" / "quickstart.ipynb",
    *sorted((ROOT / "pipelines").glob("*.yaml")),
]
PROGRAM = re.compile(r"(?:torchrun .*|!)?curate (?=[a-z])")
GLOBAL = {"--help", "-h", "--version", "--install-completion", "--show-completion"}


def text_of(page: Path) -> str:
    """Return what a page shows; of a notebook its cells."""
    text = page.read_text(encoding="utf-8")
    if page.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join(f"```\n{''.join(c['source'])}\n```" for c in cells if c["source"])


def typed(page: Path) -> Iterator[str]:
    """Yield the commands that stand on lines of their own, to be pasted."""
    text = text_of(page)
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    blocks += re.findall(r"(?:^    .*\n)+", text, re.MULTILINE)
    for block in blocks:
        for line in block.replace("\\\n", " ").splitlines():
            if PROGRAM.match(line.strip()):
                yield PROGRAM.sub("", line.strip(), count=1)


def mentioned(page: Path) -> Iterator[str]:
    """Yield the commands that stand within a sentence: they may lack what does not matter there."""
    for code in re.findall(r"`([^`]*)`", re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)):
        said = " ".join(code.split())
        if found := PROGRAM.match(said):
            yield said[found.end() :]


def named(words: list[str]) -> tuple[str, list[str]]:
    """Return the command that words call, and what follows its name."""
    names = [name for name in EVERY if name.split() == words[: len(name.split())]]
    if not names and words[0] == "runs":
        return "runs list", words[1:]
    assert names, f"no such command: {words}"
    name = max(names, key=len)
    return name, words[len(name.split()) :]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_on_lines_of_their_own_parse(page: Path) -> None:
    for line in typed(page):
        name, words = named(shlex.split(line, comments=True))
        EVERY[name].make_context(name, words)
        assert all((ROOT / word).is_file() for word in words if word.startswith("pipelines/"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_within_sentences_have_their_options(page: Path) -> None:
    for said in mentioned(page):
        words = re.split(r"[\s=|,]+", said)
        own = [name for name in EVERY if words[0] == name.split()[0]]
        assert own, said
        known = GLOBAL.union(*(flags(EVERY[name]) for name in own))
        assert {word for word in words if word.startswith("--")} <= known, said


def test_pages_show_commands() -> None:
    assert sum(len([*typed(page)]) for page in PAGES) > 40
    assert sum(len([*mentioned(page)]) for page in PAGES) > 80


def test_pip_lines_name_extras_that_are_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = "\n".join(map(text_of, PAGES))
    extras = re.findall(r"'\.\[(\w+)\]'", text)
    assert {"ray", "labels"} <= set(extras) <= set(project["optional-dependencies"])
    plain = re.findall(r"pip install (?!-c constraints\.txt )(\S+)", text)
    assert set(plain) <= {"'.[ray]'`):", "webemo-curate`"}, "the one is said not to be found"
