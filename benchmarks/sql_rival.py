"""The rival of `whole_tables`: binarize, undersample and split as one plain SQL script.

What somebody would write for this data alone: DuckDB from Parquet to Parquet, conflicts dropped,
one positive class, groups dealt out by running sums. No checksums, digests, origins or checks.
"""

import sys
from pathlib import Path

import duckdb

from webemo_curate.taxonomies import WEBEMO, load_taxonomy

SCRIPT = """
create table votes as
select cluster, label, positive, count(*) as lines
from 'duplicates.parquet' join 'fetch.parquet' using (sha256) join 'listing.parquet' using (url)
    join labels using (label)
where status in ('ok', 'local') group by all;
create table settled as
select cluster, list_sort(list(label)) as labels, arg_max(label, lines) as label,
    sum(lines) filter (positive) as ours, sum(lines) filter (not positive) as theirs,
    count(distinct positive) > 1 as conflict, bool_or(positive)::tinyint as target
from votes group by cluster;
copy (select * from settled order by cluster) to 'rival_labels.parquet' (compression zstd);
create table ranked as
with drawn as (
    select cluster as sha256, target, label, sha256('0:undersample:' || cluster) as number
    from settled where not conflict
), placed as (
    select *, (row_number() over (partition by target, label order by number) - 0.5)
        / count(*) over (partition by target, label) as share from drawn
)
select *, row_number() over (partition by target order by share, number) as rank from placed;
create table sample as
with sizes as (select count(*) filter (target = 1) as ours from ranked)
select sha256, target, label, target = 1 or rank <= ours * 54 / 46 as kept from ranked, sizes;
copy (select * from sample order by sha256) to 'rival_sample.parquet' (compression zstd);
create table rows as
with urls as (
    select sha256, min(url) as url from 'fetch.parquet' where status in ('ok', 'local') group by all
)
select sha256, path, sample.target, sample.label, labels, "group", width, height, url
from sample join 'images.parquet' using (sha256) join 'duplicates.parquet' using (sha256)
    join settled on settled.cluster = sha256 join urls using (sha256)
where kept;
create table homes as
with groups as (
    select "group", min((target, label)) as stratum, count(*) as size from rows group by "group"
), passed as (
    select "group", (sum(size) over (order by stratum, sha256('0:split:' || "group"))) % 10 as turn
    from groups
)
select "group", case turn when 0 then 'test' when 1 then 'validation' else 'train' end as split
from passed;
copy (select * from rows join homes using ("group") where split = 'train' order by sha256)
    to 'rival_train.parquet' (compression zstd);
copy (select * from rows join homes using ("group") where split = 'validation' order by sha256)
    to 'rival_validation.parquet' (compression zstd);
copy (select * from rows join homes using ("group") where split = 'test' order by sha256)
    to 'rival_test.parquet' (compression zstd);
"""


def run(folder: Path, memory: str) -> None:
    """Run the script on the manifests of a folder."""
    taxonomy = load_taxonomy(WEBEMO)
    positive = taxonomy.covered(("sadness",), 2)
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"set memory_limit = '{memory}'")
        connection.execute(f"set temp_directory = '{folder / 'rival'}'")
        connection.execute(f"set file_search_path = '{folder}'")
        connection.execute("create table labels (label varchar, positive boolean)")
        rows = [(label, label in positive) for label in taxonomy.labels]
        connection.executemany("insert into labels values (?, ?)", rows)
        connection.execute(SCRIPT.replace("to 'rival", f"to '{folder}/rival"))


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2])
