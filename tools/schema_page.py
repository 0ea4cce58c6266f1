"""docs/manifests.md, generated from the schemas: `python -m tools.schema_page > FILE`."""

import pyarrow as pa

from webemo_curate.fields import DESCRIPTION, VOLATILE
from webemo_curate.schemas import NOTES, NULLABLE_WHERE_NEEDED, SCHEMAS

HEADER = """\
# Manifests

Generated from `webemo_curate/schemas.py`. Every stage writes Parquet below `manifests/` and touches
no earlier file. Each file's metadata (key `webemo_curate`) holds the stage and its version, its
configuration, the digests of its inputs, its own content digest, its row count and the package's
version. Columns marked *differs* are times and counts that differ between equal runs; they stay out
of the digest.

Equal inputs, configuration and seed give byte-identical manifests on one kind of CPU. On another,
the sums inside the text networks round otherwise: a score, a confidence or an area of `ocr`, `text`
and `decisions` can differ from its fifth decimal on, a corner of a box by a pixel, and with them
the digests.
"""


def schema_page() -> str:
    """Return the page as Markdown: a table for each manifest."""
    return HEADER + "".join(_section(name, schema) for name, schema in SCHEMAS.items())


def _section(name: str, schema: pa.Schema) -> str:
    rows = "".join(_row(name, field) for field in schema)
    return f"\n## {name}\n\n| column | type | may be missing | holds |\n|---|---|---|---|\n{rows}"


def _row(name: str, field: pa.Field) -> str:
    kind = "enum" if pa.types.is_dictionary(field.type) else _plain(field.type)
    differs = " *(differs)*" if VOLATILE in field.metadata else ""
    missing = "yes" if field.nullable else ""
    if field.name in NULLABLE_WHERE_NEEDED.get(name, ()):
        missing = "of other collections"
    note = NOTES.get((name, field.name), "")
    holds = field.metadata[DESCRIPTION].decode() + (f"; of other collections: {note}" * bool(note))
    return f"| {field.name} | {kind} | {missing} | {holds}{differs} |\n"


def _plain(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"list of {_plain(kind.value_type)}"
    if pa.types.is_struct(kind):
        return "{" + ", ".join(field.name for field in kind) + "}"
    return str(kind)


if __name__ == "__main__":
    print(schema_page(), end="")
