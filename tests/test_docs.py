"""Generated documentation says what the code says."""

from pathlib import Path

from tools.schema_page import schema_page

DOCS = Path(__file__).parents[1] / "docs"


def test_manifest_page_is_generated_from_the_schemas() -> None:
    assert (DOCS / "manifests.md").read_text(encoding="utf-8") == schema_page(), (
        "run: python -m tools.schema_page > docs/manifests.md"
    )
