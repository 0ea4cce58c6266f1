"""The shape of the code: modules fit a subject, functions a screen, a name means one thing."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULE_LINES, FUNCTION_LINES, REPEATED_LINES = 300, 40, 5


def files_of(*folders: str) -> list[Path]:
    """Return the modules below folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


FILES = files_of("webemo_curate", "tools")
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
HOLDERS = [
    (path, node)
    for path, tree in TREES.items()
    for node in ast.walk(tree)
    if isinstance(getattr(node, "body", None), list)
]
"""Every node that holds statements, with its file."""

MODULES = [path for path in FILES if path.name not in ("__init__.py", "__main__.py")]


def defined(kind: type[ast.AST] | tuple[type[ast.AST], ...]) -> Iterator[tuple[Path, ast.AST]]:
    """Yield every definition of a kind with its file."""
    yield from (found for found in HOLDERS if isinstance(found[1], kind))


def is_logic(statement: ast.stmt) -> bool:
    """Tell whether a statement may not stand twice: imports and docstrings may."""
    if isinstance(statement, ast.Expr):
        return not isinstance(statement.value, ast.Constant)
    return not isinstance(statement, ast.Import | ast.ImportFrom)


def blocks() -> Iterator[tuple[Path, list[ast.stmt]]]:
    """Yield every block of statements inside functions."""
    for path, node in HOLDERS:
        if not isinstance(node, ast.Module | ast.ClassDef):
            for part in ("body", "orelse", "finalbody"):
                yield path, [*filter(is_logic, getattr(node, part, []))]


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function without its docstring."""
    total = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        total -= (first.end_lineno or 0) - first.lineno + 1
    return total


def test_modules_fit_one_subject() -> None:
    files = [*FILES, *files_of("tests", "benchmarks")]
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    long = {str(path.relative_to(ROOT)): n for path, n in lines.items() if n > MODULE_LINES}
    assert long == {}


def test_functions_fit_a_screen() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.lineno}": code_lines(node)
        for path, node in defined((ast.FunctionDef, ast.AsyncFunctionDef))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and code_lines(node) > FUNCTION_LINES
    }
    assert long == {}


def test_a_module_opens_with_what_it_is_or_does() -> None:
    """No opening that asks: the reader wants the thing, or an imperative."""
    asking = {"What", "Which", "How", "Where", "When", "Who", "Whether", "Why"}
    openings = {path: ast.get_docstring(tree) for path, tree in TREES.items()}
    assert [path for path, text in openings.items() if text and text.split()[0] in asking] == []


def test_no_logic_stands_twice() -> None:
    """No run of statements is the same to the letter as one elsewhere in the package."""
    places: dict[str, set[str]] = defaultdict(set)
    texts = {path: path.read_text(encoding="utf-8").splitlines() for path in FILES}
    for path, block in blocks():
        for start, first in enumerate(block):
            for last in block[start:]:
                end = last.end_lineno or last.lineno
                if end - first.lineno + 1 >= REPEATED_LINES:
                    run = [line.strip() for line in texts[path][first.lineno - 1 : end]]
                    places["\n".join(run)].add(f"{path.relative_to(ROOT)}:{first.lineno}")
                    break
    assert {run: at for run, at in places.items() if len(at) > 1} == {}


@pytest.mark.parametrize("kind", ["module", "class"])
def test_a_name_means_one_thing(kind: str) -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    if kind == "module":
        for path in MODULES:
            homes[path.stem].append(str(path.relative_to(ROOT)))
    else:
        for path, node in defined(ast.ClassDef):
            if isinstance(node, ast.ClassDef):
                homes[node.name.lstrip("_")].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert {name: places for name, places in homes.items() if len(places) > 1} == {}
