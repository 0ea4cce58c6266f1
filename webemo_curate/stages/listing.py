"""The listing stage: every row of the lists, tables and folders, with its label on all levels."""

from collections.abc import Iterator
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.config import ListingConfig
from webemo_curate.credentials import masked
from webemo_curate.fields import plain_type
from webemo_curate.schemas import LISTING
from webemo_curate.sources.labels import LabelReader
from webemo_curate.sources.resolve import find_sources, has_lists
from webemo_curate.sources.source import BadRows, ReadOptions, Source
from webemo_curate.stages.stage import Stage, StageContext, Tables
from webemo_curate.taxonomies import AS_LISTED, WEBEMO, Taxonomy, load_taxonomy

GROUPS = {"emotion": 2, "polarity": 3}
"""Columns of the levels above the label."""

PLAIN = pa.schema([(field.name, plain_type(field.type)) for field in LISTING])
"""The manifest's columns, with texts in place of dictionary codes."""


class ListingStage(Stage[ListingConfig]):
    """Reads a collection's sources into one manifest."""

    name = "listing"
    version = 3
    inputs: ClassVar = {}
    outputs = ("listing",)

    def extra_inputs(self) -> dict[str, str]:
        """Return each source's digest by its name, and that of the named taxonomy."""
        digests = {source.name: source.digest() for source in find_sources(self.config)}
        if self.config.taxonomy in (None, AS_LISTED):
            return digests
        return digests | {"taxonomy": load_taxonomy(str(self.config.taxonomy)).digest}

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:  # noqa: ARG002
        """Read the sources; see `Stage.run` and `sources.source.Source`."""
        from webemo_curate.table_engine import spilled  # loads pandas

        # Sources sorted by name give the manifest's order, so that no sort is needed.
        sources = sorted(find_sources(self.config), key=lambda source: source.name)
        taxonomy = self._taxonomy(sources)
        bad = BadRows(skip=self.config.on_bad_row == "skip")
        reading = ReadOptions(self.config, LabelReader(taxonomy), bad)
        batches = (rows for source in sources for rows in _rows(source, reading, taxonomy))
        listed = spilled(context.workspace.root, PLAIN, batches)
        bad.tell()
        return {"listing": listed}

    def _taxonomy(self, sources: list[Source]) -> Taxonomy | None:
        """Return the taxonomy of the labels; None if all labels are accepted as they are."""
        name = self.config.taxonomy or (WEBEMO if has_lists(sources) else AS_LISTED)
        return None if name == AS_LISTED else load_taxonomy(name)


def _rows(
    source: Source, reading: ReadOptions, taxonomy: Taxonomy | None
) -> Iterator[pa.RecordBatch]:
    """Yield a source's rows, with its name and the classes above each label."""
    for batch in source.batches(reading):
        size = batch.num_rows
        columns = {name: batch[name] for name in batch.schema.names}
        columns["url"] = _without_credentials(batch["url"], batch["file"])
        columns["source"] = pa.repeat(source.name, size)
        for column, level in GROUPS.items():
            columns[column] = _classes(batch["label"], taxonomy, level)
        arrays = [columns[field.name].cast(field.type) for field in PLAIN]
        yield pa.RecordBatch.from_arrays(arrays, schema=PLAIN)


def _classes(labels: pa.Array, taxonomy: Taxonomy | None, level: int) -> pa.Array:
    if taxonomy is None or level > len(taxonomy.levels):
        return pa.nulls(len(labels), pa.string())
    known = pa.array(taxonomy.labels)
    classes = pa.array([chain[level - 1] for chain in taxonomy.chains])
    return classes.take(pc.index_in(labels, known))


def _without_credentials(urls: pa.Array, files: pa.Array) -> pa.Array:
    """Mask user names and passwords: no manifest or page may hold them, and none is ever sent."""
    if not pc.any(pc.match_substring(urls, "@")).as_py():
        return urls
    pairs = zip(urls.to_pylist(), files.is_valid().to_pylist(), strict=True)
    return pa.array([url if local else masked(url) for url, local in pairs], pa.string())
