"""The split stage: assign whole groups to train, validation and test, stratified and seeded."""

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.config import SplitConfig
from webemo_curate.errors import InputError
from webemo_curate.manifest import read_info
from webemo_curate.manifest_scan import scan_manifest
from webemo_curate.sampling import draw
from webemo_curate.stages.first_urls import make_first_urls
from webemo_curate.stages.stage import StageContext, TableStage
from webemo_curate.stages.targets import recorded_classes, target_names
from webemo_curate.table_engine import TableEngine
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

SPLITS = tuple(str(split) for split in Split)

KEPT = "create table drawn as select sha256, target, label from sample where kept"

ROWS = """
create table rows as -- the images kept, with all that the split manifests say of them
select sha256, path, target, drawn.label, labels, "group", width, height, url
from drawn join first_urls using (sha256) join images using (sha256) join duplicates using (sha256)
    join labels as clusters on clusters.cluster = sha256
"""

NAMED = """
create table named (split varchar, rank integer, "group" varchar) -- of equal names the last counts
"""

NAME_EARLIER = """
insert into named -- the groups of which an earlier split holds images
select distinct $split, $rank::integer, "group" from rows join earlier using (sha256)
"""

MOVED = """
select coalesce(sum(splits - 1), 0)::bigint
from (select count(*) as splits from named group by "group")
"""

NAME_LISTED = """
insert into named -- the groups of images that the listing itself puts in a split, or a copy of
with official as (
    select distinct url from listing where official_split = $split
), copied as (
    select distinct cluster as sha256
    from official join "fetch" using (url) join duplicates using (sha256)
)
select distinct $split, $rank::integer, "group" from rows join copied using (sha256)
"""

LISTED_SPLITS = """
select list(distinct official_split) filter (official_split is not null) from listing
"""

GROUPS = """
create table groups as
with fixed as (select "group", arg_max(split, rank) as split from named group by "group")
select "group", min((target, label)) as stratum, count(*) as size, any_value(split) as split
from rows left join fixed using ("group")
group by "group"
"""

FIXED_GROUPS = 'select "group", split, size from groups where split is not null order by "group"'

FREE_GROUPS = """
select "group", size -- strata one after another, by a number of the group's own within a stratum
from groups where split is null
order by stratum, unhex(substr(sha256($draw || "group"), 1, 16)), "group"
"""

SIZES = """
select split, target, count(*) from rows join homes using ("group") group by split, target
"""

SPLIT_ROWS = """
select path, sha256, target, label, labels, "group", width, height, url
from rows join homes using ("group") where split = $split order by sha256
"""


class SplitStage(TableStage[SplitConfig]):
    """Divides the sample, and writes the manifests that training reads."""

    name = "split"
    inputs: ClassVar = {
        "sample": ("sha256", "target", "label", "kept"),
        "images": ("sha256", "path", "width", "height"),
        "duplicates": ("sha256", "cluster", "group"),
        "labels": ("cluster", "labels"),
        "listing": ("url", "official_split"),
        "fetch": ("url", "status", "sha256"),
    }
    outputs = SPLITS

    def extra_inputs(self) -> dict[str, str]:
        """Return the digests of the earlier split that is extended."""
        if self.config.extend is None:
            return {}
        return {f"earlier {split}": _earlier_digest(self.config.extend, split) for split in SPLITS}

    def classes(self, workspace: Workspace) -> tuple[str, ...]:
        """Return the names of the classes made by binarize."""
        return target_names(workspace)

    def derive(self, engine: TableEngine, context: StageContext) -> dict[str, pa.Table]:
        """Assign every group to one split; see `Stage.run`."""
        engine.make(KEPT)
        make_first_urls(engine)
        engine.make(ROWS)
        engine.drop("first_urls")
        engine.make(NAMED)
        self._name_earlier(engine, context)
        apart = self._kept_apart(engine)
        for rank, split in enumerate(apart, start=len(SPLITS)):
            engine.make(NAME_LISTED, split=str(split), rank=rank)
        engine.make(GROUPS)
        engine.add("homes", self._homes(engine, apart))
        self._check(engine, context.workspace)
        return {split: engine.table(SPLIT_ROWS, split=split) for split in SPLITS}

    def _check(self, engine: TableEngine, workspace: Workspace) -> None:
        """Raise on an empty split or a class that cannot be learned; log other gaps."""
        wanted = [s for s, ratio in zip(SPLITS, self.config.ratios, strict=True) if ratio]
        names, binary = target_names(workspace), recorded_classes(workspace) is None
        sizes = _class_sizes(engine, len(names))
        counts = ", ".join(f"{split} {sum(each)}" for split, each in sizes.items())
        if not all(sum(sizes[split]) for split in wanted):
            images, groups = engine.count("rows"), engine.count("homes")
            raise InputError(
                f"split: {images} images in {groups} groups that no split may "
                f"part do not fill the splits ({counts}); list more images, or change --ratios"
            )
        for split in (split for split in wanted if not all(sizes[split])):
            said = f"split: {split} has {_said(sizes[split], names, binary=binary)}"
            if split == Split.TRAIN:
                every = "both" if binary else "every class"
                raise InputError(f"{said}, and needs {every}; list more images")
            logger.warning("%s: measures of it say little", said)

    def _name_earlier(self, engine: TableEngine, context: StageContext) -> None:
        """Record in which splits of an earlier set groups are."""
        if self.config.extend is None:
            return
        if self.config.extend.resolve() == context.workspace.manifests.resolve():
            raise InputError(
                f"{self.config.extend}: would be overwritten; copy the earlier split to "
                "another folder and give that as --extend"
            )
        for rank, split in enumerate(SPLITS):
            path = self.config.extend / f"{split}.parquet"
            engine.add("earlier", scan_manifest(path, split, ["sha256"]))
            engine.make(NAME_EARLIER, split=split, rank=rank)
        ((moved,),) = engine.rows(MOVED)
        if moved:
            logger.warning(
                "split: %d groups of the earlier split turn out to be related across it; each is "
                "now whole, in test before validation before train",
                moved,
            )

    def _kept_apart(self, engine: TableEngine) -> list[Split]:
        """Return the splits that stay as listed; test is last, so it wins a group that two name."""
        ((listed,),) = engine.rows(LISTED_SPLITS)
        if not self.config.official:
            if listed:
                logger.info(
                    "split: the listing's own splits (%s) are not kept; --official keeps "
                    "validation and test as listed",
                    ", ".join(sorted(listed)),
                )
            return []
        return [*([Split.VALIDATION] if Split.VALIDATION in (listed or []) else []), Split.TEST]

    def _homes(self, engine: TableEngine, apart: Sequence[Split]) -> pa.Table:
        """Return the split of each group: fixed ones, and others assigned to fill the ratios."""
        fixed = engine.table(FIXED_GROUPS)
        taken = [int(pc.sum(_of(fixed, split)["size"]).as_py() or 0) for split in SPLITS]
        ratios = [*self.config.ratios]
        for split in apart:
            place = SPLITS.index(split)
            ratios[place] = taken[place] = 0
        free = engine.table(FREE_GROUPS, draw=draw(self.config.seed, self.name))
        sizes = (size for chunk in free["size"].chunks for size in chunk.to_numpy().tolist())
        places = np.fromiter(dealt(sizes, ratios, taken), np.int8, len(free))
        homes = pa.DictionaryArray.from_arrays(pa.array(places), pa.array(SPLITS))
        dealt_out = pa.table({"group": free["group"], "split": homes.cast(pa.string())})
        return pa.concat_tables([fixed.select(["group", "split"]), dealt_out])


def _of(groups: pa.Table, split: str) -> pa.Table:
    return groups.filter(pc.equal(groups["split"], split))


def _class_sizes(engine: TableEngine, classes: int) -> dict[str, list[int]]:
    """Return the number of images of each class in each split."""
    counts = {(split, target): count for split, target, count in engine.rows(SIZES)}
    return {
        split: [counts.get((split, target), 0) for target in range(classes)] for split in SPLITS
    }


def _said(sizes: Sequence[int], names: Sequence[str], *, binary: bool) -> str:
    if binary:
        return f"{sizes[1]} positive and {sizes[0]} other images"
    lacking = [name for name, size in zip(names, sizes, strict=True) if not size]
    return f"no image of {' or '.join(map(repr, lacking))}"


def divide(
    sizes: Sequence[int], ratios: Sequence[float], taken: Sequence[int] | None = None
) -> list[int]:
    """Assign groups so that after each one the parts are as near to their ratios as possible.

    Every run of groups (a stratum, if they are sorted) is then divided by the ratios too.

    Parameters
    ----------
    sizes : sequence of int
        Rows of each group, in the order of assignment.
    ratios : sequence of float
        Wanted shares of the parts, not all zero.
    taken : sequence of int, optional
        Rows that each part already holds; by default none.

    Returns
    -------
    list of int
        The part of each group; part sizes differ from their shares by at most the largest group.
    """
    shares, deficit = _begun(ratios, taken or [0] * len(ratios))
    parts = [part for part, share in enumerate(shares) if share > 0]
    places = []
    for size in sizes:
        for part in parts:
            deficit[part] += shares[part] * size
        place = max(parts, key=deficit.__getitem__)  # the first of equal ones
        deficit[place] -= size
        places.append(place)
    return places


def dealt(sizes: Iterable[int], ratios: Sequence[float], taken: Sequence[int]) -> Iterator[int]:
    """Yield the part of each group as `divide` does, of three parts, in a fifth of the time."""
    (first, second, third), deficits = _begun(ratios, taken)
    one, two, three = (
        deficit if share else -math.inf  # never the largest
        for share, deficit in zip((first, second, third), deficits, strict=True)
    )
    for size in sizes:
        one += first * size
        two += second * size
        three += third * size
        if one >= two and one >= three:
            one -= size
            yield 0
        elif two >= three:
            two -= size
            yield 1
        else:
            three -= size
            yield 2


def _begun(ratios: Sequence[float], taken: Sequence[int]) -> tuple[list[float], list[float]]:
    """Return the parts' shares of all rows, and the rows that each lacks of its share so far."""
    whole = float(np.sum(ratios))
    shares = [ratio / whole for ratio in ratios]
    held = float(sum(taken))
    return shares, [share * held - rows for share, rows in zip(shares, taken, strict=True)]


def _earlier_digest(folder: "Path", split: str) -> str:
    info = read_info(folder / f"{split}.parquet")
    if info is None:
        raise InputError(
            f"{folder / split}.parquet: no split manifest; --extend takes the folder of "
            f"{', '.join(SPLITS)} of an earlier 'curate split'"
        )
    return info.digest
