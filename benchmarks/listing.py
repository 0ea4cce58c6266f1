"""Measure listing a table of a million rows, against pandas.read_csv on the same file.

    python -m benchmarks.listing [--rows 1000000]

Each runs in a process of its own, so that peak memory is separate. `curate`'s listing checks every
URL and label, detects the dialect and writes the manifest; `pandas.read_csv` reads only columns.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.measure import MEGABYTE
from webemo_curate.config import ListingConfig
from webemo_curate.manifest import Origin
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.listing import ListingStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.taxonomies import load_taxonomy
from webemo_curate.workspace import Workspace

TAXONOMY = "mikels8"


def write_table(file: Path, rows: int) -> None:
    """Write a table of URLs, labels, authors and splits."""
    random = np.random.default_rng(0)
    labels = random.choice(load_taxonomy(TAXONOMY).labels, rows).tolist()
    authors = random.integers(0, rows // 10 + 1, rows).tolist()
    with file.open("w") as stream:
        stream.write("image_url,emotion,author,split\n")
        for number, (label, author) in enumerate(zip(labels, authors, strict=True)):
            split = "test" if number % 10 == 0 else "train"
            url = f"https://photos.example/{number % 97:02}/{number:08}_b.jpg"
            stream.write(f"{url},{label},author {author},{split}\n")


def run(reader: str, file: str) -> None:
    """Read the table once and print rows a second and peak memory."""
    started = time.perf_counter()
    if reader == "pandas":
        import pandas as pd

        rows = len(pd.read_csv(file))
    else:
        config = ListingConfig(source=(Path(file),), taxonomy=TAXONOMY)
        with tempfile.TemporaryDirectory() as folder:
            workspace = Workspace(Path(folder))
            context = StageContext(workspace, LocalRunner(1), "benchmark")
            table = ListingStage(config).run({}, context)["listing"]
            rows = table.num_rows
            read = rows / (time.perf_counter() - started)
            print(f"listed  {rows:>11,} rows {read:>11,.0f} rows/s, before the manifest is written")
            workspace.write("listing", table, Origin("listing", 1, {}, {}))
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE
    print(f"{reader:<8}{rows:>11,} rows {rows / seconds:>11,.0f} rows/s  peak {peak:>5.0f} MB")


def main() -> None:
    """Write the table, and read it by each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.csv"
        write_table(file, arguments.rows)
        for reader in ("pandas", "curate"):
            code = "import sys; from benchmarks import listing; listing.run(*sys.argv[1:])"
            subprocess.run([sys.executable, "-c", code, reader, str(file)], check=True)


if __name__ == "__main__":
    main()
