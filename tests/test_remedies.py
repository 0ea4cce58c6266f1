"""Every message's command is written by `remedies.typed`, so that it names the workspace."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from webemo_curate.remedies import named_workspace, typed, working_in, writing

PACKAGE = Path(__file__).parents[1] / "webemo_curate"
COMMAND = re.compile(r"\bcurate (?=[a-z])(?!command|goes|works)")
OF_ANY_WORKSPACE = {
    "config": "the help of options",
    "cli": "the help of commands",
    "report": "the page names commands that its reader runs where they like",
    "demo": "",
}
CARDS = {
    "evaluation/export_network.py": "a card that leaves the workspace",
    "releases/data_card.py": "the same",
    "releases/description.py": "the same",
    "releases/files.py": "names what wrote a folder",
    "storage/folder.py": "another command works here",
    "storage/lease.py": "the same",
    "stages/split.py": "names what wrote a folder",
    "remedies.py": "writes them",
}
"""Texts that are no remedies, and why."""


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a module, without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    described = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and isinstance(node.body[0], ast.Expr)
    }
    said = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)} | described
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.lineno, node.value


def test_no_message_writes_a_command_itself() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {text!r}"
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).parts[0] not in OF_ANY_WORKSPACE
        and str(path.relative_to(PACKAGE)) not in CARDS
        for line, text in texts(path)
        if COMMAND.search(text)
    ]
    assert found == []


def test_a_command_names_the_workspace_in_a_way_that_can_be_pasted() -> None:
    assert typed("split") == "curate split"
    with working_in("my set"):
        assert typed("split") == "curate split --workspace 'my set'"
        assert writing("duplicates") == "curate dedup --workspace 'my set'"
        assert typed("split", "other") == "curate split --workspace other"
    assert named_workspace() == "."
