"""The first URL of each image of a split, found apart from the joins of its rows.

Beside them an aggregate holds room that they need. Most images have one URL, so that a first one
is sought of the others alone: counting takes less time than comparing URLs, and holds none.
"""

from webemo_curate.table_engine import TableEngine
from webemo_curate.verdicts import STORED

STORED_URLS = """
create table stored as -- the URLs that gave us the images kept
select sha256, url from "fetch" semi join drawn using (sha256)
where list_contains($stored, status)
"""

SEVERAL = """
create table several as select sha256 from stored group by sha256 having count(*) > 1
"""

FIRST_URLS = """
create table first_urls as -- most images have one URL: only of the others the first is sought
with turns as (
    select sha256, url, row_number() over (partition by sha256 order by url) as turn
    from stored semi join several using (sha256)
)
select sha256, url from stored anti join several using (sha256)
union all select sha256, url from turns where turn = 1
"""


def make_first_urls(engine: TableEngine) -> None:
    """Let queries name `first_urls`: the first URL, by its letters, that gave us each image kept.

    Parameters
    ----------
    engine : TableEngine
        Holds `fetch`, and `drawn` with the `sha256` of the images kept.
    """
    engine.make(STORED_URLS, stored=[*STORED])
    engine.make(SEVERAL)
    engine.make(FIRST_URLS)
    engine.drop("stored")
    engine.drop("several")
