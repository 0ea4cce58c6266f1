"""Generated documentation says what the code says."""

import errno
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tools.command_pages import command_page
from tools.config_page import config_page
from tools.schema_page import schema_page

DOCS = Path(__file__).parents[1] / "docs"
PACKAGE = DOCS.parent / "webemo_curate"


def test_manifest_page_is_generated_from_the_schemas() -> None:
    assert (DOCS / "manifests.md").read_text(encoding="utf-8") == schema_page(), (
        "run: python -m tools.schema_page > docs/manifests.md"
    )


def test_page_of_commands_is_generated_from_the_command_line() -> None:
    assert (DOCS / "commands.md").read_text(encoding="utf-8") == command_page(), (
        "run: python -m tools.command_pages > docs/commands.md"
    )


def test_configuration_page_is_generated_from_the_models() -> None:
    assert (DOCS / "configuration.md").read_text(encoding="utf-8") == config_page(), (
        "run: python -m tools.config_page > docs/configuration.md"
    )


def test_the_page_of_the_architecture_has_the_layers_that_imports_are_held_to() -> None:
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = project["tool"]["importlinter"]["contracts"]
    layers = "\n".join(layer.replace(" : ", ", ") for layer in contract["layers"])
    assert f"```\n{layers}\n```" in (DOCS / "architecture.md").read_text(encoding="utf-8")


def texts() -> Iterator[str]:
    """Yield the text of each module, with messages of several lines as one."""
    for file in PACKAGE.rglob("*.py"):
        yield re.sub(r'"\s*\n\s*f?"', "", file.read_text(encoding="utf-8"))


def test_messages_that_are_explained_are_said() -> None:
    page = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    cells = [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| `")]
    quoted = [said for cell in cells for said in re.findall(r"`([^`]+)`", cell)]
    assert len(quoted) > 25
    known = [*map(os.strerror, errno.errorcode), *texts()]
    lost = [said for said in quoted if not any(holds(text, said) for text in known)]
    assert lost == []


def holds(text: str, said: str) -> bool:
    """Tell whether a text has the parts of a message, in their order."""
    place = 0
    for part in said.split("..."):
        place = text.find(part, place)
        if place < 0:
            return False
    return True
