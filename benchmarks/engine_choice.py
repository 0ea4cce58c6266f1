"""Compare DuckDB with Polars' streaming engine on the votes of clusters, in time and memory.

    python -m benchmarks.engine_choice --rival /path/to/venv/bin/python [--rows 1000000]

The same two joins and one grouping, from Parquet to Parquet in order, each a process of its own.
The rival's interpreter has polars. DuckDB gets `--memory`; Polars has no such bound.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.measure import MEGABYTE, Cost, run

DUCKDB = """
import sys, duckdb
folder, memory = sys.argv[1:]
with duckdb.connect(config={"memory_limit": memory}) as connection:
    connection.execute(f"set file_search_path = '{folder}/manifests'")
    connection.execute(f\"\"\"
        copy (
            select cluster, label, count(*) as lines
            from 'duplicates.parquet' join 'fetch.parquet' using (sha256)
                join 'listing.parquet' using (url)
            where status in ('ok', 'local') group by cluster, label order by cluster, label
        ) to '{folder}/duckdb.parquet' (compression zstd)
    \"\"\")
"""

POLARS = """
import sys, polars as pl
folder, _ = sys.argv[1:]
def scan(name, *columns):
    return pl.scan_parquet(f"{folder}/manifests/{name}.parquet").select(columns)
stored = pl.col("status").cast(pl.String).is_in(["ok", "local"])
votes = (
    scan("duplicates", "sha256", "cluster")
    .join(scan("fetch", "url", "status", "sha256").filter(stored), on="sha256")
    .join(scan("listing", "url", "label").cast({"label": pl.String}), on="url")
    .group_by("cluster", "label").agg(pl.len().alias("lines")).sort("cluster", "label")
)
votes.sink_parquet(f"{folder}/polars.parquet", compression="zstd", engine="streaming")
"""


def compare(rival: Path, rows: int, rounds: int, memory: str) -> None:
    """Print what each engine took, in turns, and the ratios of the medians."""
    with tempfile.TemporaryDirectory() as folder:
        for call in (
            f"write_inputs({folder!r}, {rows})",
            f"run_stages({folder!r}, None, ('dedup',))",
        ):
            code = f"from benchmarks.whole_tables import *; {call}"
            subprocess.run([sys.executable, "-c", code], check=True)
        engines = {"duckdb": (Path(sys.executable), DUCKDB), "polars": (rival, POLARS)}
        costs: dict[str, list[Cost]] = {name: [] for name in engines}
        for _ in range(rounds):
            for name, (python, code) in engines.items():
                log = Path(folder, "log")
                costs[name].append(run([python, "-c", code, folder, memory], log))
    for name, taken in costs.items():
        seconds = [f"{cost.seconds:.1f}" for cost in taken]
        peaks = [f"{cost.peak_bytes / MEGABYTE:.0f}" for cost in taken]
        print(f"{rows:>11,}  {name:<8} {', '.join(seconds)} s; {', '.join(peaks)} MB")
    for what in ("seconds", "cpu_seconds", "peak_bytes"):
        ours, theirs = (median(getattr(cost, what) for cost in costs[name]) for name in engines)
        print(f"polars / duckdb, {what}: {theirs / ours:.2f}")


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rival", type=Path, required=True, help="interpreter that has polars")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", default="2GB", help="DuckDB's bound")
    arguments = parser.parse_args()
    compare(arguments.rival, arguments.rows, arguments.rounds, arguments.memory)


if __name__ == "__main__":
    main()
