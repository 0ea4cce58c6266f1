"""The listing: every row of the lists, tables and folders, with its label at all levels."""

from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.config import ListingConfig
from webemo_curate.credentials import masked
from webemo_curate.schemas import LISTING
from webemo_curate.sources.labels import LabelReader
from webemo_curate.sources.resolve import find_sources, has_lists
from webemo_curate.sources.source import ROWS, BadRows, ReadOptions, Source
from webemo_curate.stages.stage import Stage, StageContext, Tables
from webemo_curate.taxonomies import AS_LISTED, WEBEMO, Taxonomy, load_taxonomy

GROUPS = {"emotion": 2, "polarity": 3}
"""Columns of the levels above the label."""


class ListingStage(Stage[ListingConfig]):
    """Reads a collection's sources into one manifest."""

    name = "listing"
    version = 2
    inputs: ClassVar = {}
    outputs = ("listing",)

    def extra_inputs(self) -> dict[str, str]:
        """Return each source's digest by its name, and the named taxonomy's."""
        digests = {source.name: source.digest() for source in find_sources(self.config)}
        if self.config.taxonomy in (None, AS_LISTED):
            return digests
        return digests | {"taxonomy": load_taxonomy(str(self.config.taxonomy)).digest}

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:  # noqa: ARG002
        """Read the sources; see `Stage.run` and `sources.source.Source`."""
        sources = find_sources(self.config)
        taxonomy = self._taxonomy(sources)
        bad = BadRows(skip=self.config.on_bad_row == "skip")
        reading = ReadOptions(self.config, LabelReader(taxonomy), bad)
        parts = [_rows(source, reading) for source in sources]
        bad.tell()
        rows = _without_credentials(pa.concat_tables(parts))
        return {"listing": _with_groups(rows, taxonomy)}

    def _taxonomy(self, sources: list[Source]) -> Taxonomy | None:
        """Return what labels there are; None where all count as they stand."""
        name = self.config.taxonomy or (WEBEMO if has_lists(sources) else AS_LISTED)
        return None if name == AS_LISTED else load_taxonomy(name)


def _rows(source: Source, reading: ReadOptions) -> pa.Table:
    """Return all rows of a source: what recurs coded, so that a million take little room."""
    coded = [pa.field(field.name, LISTING.field(field.name).type) for field in ROWS]
    batches = [batch.cast(pa.schema(coded)) for batch in source.batches(reading)]
    table = pa.Table.from_batches(batches, schema=pa.schema(coded)).unify_dictionaries()
    name = pa.DictionaryArray.from_arrays(
        pa.repeat(pa.scalar(0, pa.int32()), table.num_rows), pa.array([source.name])
    )
    return table.append_column("source", name)


def _with_groups(table: pa.Table, taxonomy: Taxonomy | None) -> pa.Table:
    """Add the classes that stand above each row's label."""
    table = table.unify_dictionaries()
    for column, level in GROUPS.items():
        table = table.append_column(column, _classes(table["label"], taxonomy, level))
    return table.select(LISTING.names)


def _classes(labels: pa.ChunkedArray, taxonomy: Taxonomy | None, level: int) -> pa.ChunkedArray:
    if taxonomy is None or level > len(taxonomy.levels):
        return pa.nulls(len(labels), LISTING.field("label").type)
    known = pa.array(taxonomy.labels)
    classes = pa.array([chain[level - 1] for chain in taxonomy.chains])
    plain = labels.cast(pa.string())
    return classes.take(pc.index_in(plain, known)).dictionary_encode()


def _without_credentials(rows: pa.Table) -> pa.Table:
    """Mask users and passwords: no manifest or page may hold them, and none is ever sent."""
    if not pc.any(pc.match_substring(rows["url"], "@")).as_py():
        return rows
    pairs = zip(rows["url"].to_pylist(), rows["file"].is_valid().to_pylist(), strict=True)
    urls = pa.array([url if local else masked(url) for url, local in pairs], pa.string())
    return rows.set_column(rows.column_names.index("url"), "url", urls)
