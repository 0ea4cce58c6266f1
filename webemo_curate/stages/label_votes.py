"""Count the listed lines that give each cluster its labels: the votes that binarize settles.

Names of clusters are 64 letters long; until the votes are settled numbers stand for them, and
whole numbers for labels, so that sorts and joins take a fraction of the room.
"""

from webemo_curate.errors import InputError
from webemo_curate.remedies import typed
from webemo_curate.table_engine import TableEngine
from webemo_curate.verdicts import STORED

LABEL_TYPE = """
create type listed_label as enum (
    select distinct label from listing where label is not null order by label
)
"""

CLUSTERS = """
create or replace table clusters as -- numbered in the order of their names
with ordered as (
    select cluster, true as has_keeper from duplicates where sha256 = cluster order by cluster
)
select *, row_number() over () as number from ordered
"""

ALL_CLUSTERS = """
create or replace table clusters as -- also those of which the keeper has no row
with ordered as (
    select cluster, bool_or(sha256 = cluster) as has_keeper from duplicates
    group by cluster order by cluster
)
select *, row_number() over () as number from ordered
"""

COPIES = """
create or replace table copies as
select sha256, number from duplicates left join clusters using (cluster) where sha256 <> cluster
"""

LOST = "select count(*) from copies where number is null"

VOTES = """
create table votes as -- how many listed lines give a cluster each of its labels
with images as (
    select cluster as sha256, number from clusters where has_keeper
    union all select sha256, number from copies
)
select number, label::listed_label as label, count(*) as lines
from images join "fetch" using (sha256) join listing using (url)
where list_contains($stored, status)
group by number, label
"""


def count_votes(engine: TableEngine) -> None:
    """Let queries name `clusters` with their numbers, and the `votes` of each.

    Parameters
    ----------
    engine : TableEngine
        Holds `listing`, `fetch` and `duplicates`.
    """
    for statement in (LABEL_TYPE, CLUSTERS, COPIES):
        engine.make(statement)
    ((lost,),) = engine.rows(LOST)
    if lost:  # rare, and takes three times as long
        engine.make(ALL_CLUSTERS)
        engine.make(COPIES)
    engine.make(VOTES, stored=[*STORED])
    engine.drop("copies")


def check_votes(engine: TableEngine) -> None:
    """Raise if nothing can be settled.

    Parameters
    ----------
    engine : TableEngine
        See `count_votes`, which has run.

    Raises
    ------
    InputError
        If no image is left, or none has a label.
    """
    ((votes, labeled),) = engine.rows("select count(*), count(label) from votes")
    if not votes:
        raise InputError(
            f"binarize: no image is left of {engine.count('listing')} listed rows; "
            f"'{typed('status')}' shows where they went"
        )
    if not labeled:
        raise InputError(
            "binarize: no picture has a label, and it needs some; name the table's column with "
            f"'{typed('fetch --label-column NAME')}', or list a folder with a folder for each "
            "label. filter-text and dedup work without labels"
        )
