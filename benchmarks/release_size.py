"""Measure what a row of a release takes on disk, column by column.

`python -m benchmarks.release_size WORK [--rows 100000]`. The rows are drawn: hashes at random,
which nothing compresses; URLs of the form of a photo site's; 3 % of the pictures with a second URL,
10 % with related ones; a quarter each of the other URLs not found, with text, a duplicate, surplus.
"""

import argparse
import random
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from webemo_curate.releases.files import (
    DECISION_COLUMNS,
    DECISIONS,
    IMAGE_COLUMNS,
    IMAGES,
    write_parquet,
)

LABELS = ("anger", "fear", "joy", "love", "sadness", "surprise")
SPLITS = ("train",) * 8 + ("validation", "test")
SECOND_URLS, RELATED = 0.03, 0.1
LEFT = (
    ("fetch", "not_found", None),
    ("text", "text", 0.6),
    ("dedup", "near_duplicate", 10.0),
    ("undersample", "surplus", None),
)


def sha256(drawn: random.Random) -> str:
    return drawn.randbytes(32).hex()


def url(drawn: random.Random) -> str:
    place = f"{drawn.randrange(1000, 9000)}/{drawn.randrange(10**9, 10**11)}"
    return f"https://farm{drawn.randrange(1, 10)}.photos.example/{place}_{sha256(drawn)[:10]}.jpg"


def images(rows: int, drawn: random.Random) -> pa.Table:
    """Draw `images.parquet`."""
    made = [_image(drawn) for _ in range(rows)]
    return pa.Table.from_pylist(sorted(made, key=lambda row: str(row["sha256"])), IMAGE_COLUMNS)


def _image(drawn: random.Random) -> dict[str, object]:
    label = drawn.choice(LABELS)
    return {
        "sha256": sha256(drawn),
        "bytes": drawn.randrange(20_000, 300_000),
        "pixel_hash": sha256(drawn),
        "phash": drawn.getrandbits(64),
        "urls": [url(drawn)] if drawn.random() < SECOND_URLS else [],
        "url": url(drawn),
        "label": label,
        "labels": [label],
        "target": int(label == "sadness"),
        "group": sha256(drawn) if drawn.random() < RELATED else None,
        "split": drawn.choice(SPLITS),
        "width": drawn.choice((375, 500, 640, 1024)),
        "height": drawn.randrange(300, 1024),
    }


def decisions(rows: int, drawn: random.Random) -> pa.Table:
    """Draw `decisions.parquet`."""
    made = [_decision(drawn) for _ in range(rows)]
    return pa.Table.from_pylist(sorted(made, key=lambda row: str(row["url"])), DECISION_COLUMNS)


def _decision(drawn: random.Random) -> dict[str, object]:
    stage, reason, threshold = drawn.choice(LEFT)
    return {
        "url": url(drawn),
        "sha256": None if stage == "fetch" else sha256(drawn),
        "keeper": sha256(drawn) if stage == "dedup" else None,
        "stage": stage,
        "reason": reason,
        "score": None if threshold is None else threshold * drawn.random(),
        "threshold": threshold,
    }


def row_bytes(table: pa.Table, file: Path) -> tuple[float, Counter[str]]:
    """Write a table as a release does; return the bytes a row, and those of each column."""
    write_parquet(table, file)
    footer = pq.read_metadata(file)
    columns: Counter[str] = Counter()
    for group in map(footer.row_group, range(footer.num_row_groups)):
        for place in range(footer.num_columns):
            column = group.column(place)
            columns[column.path_in_schema.split(".")[0]] += column.total_compressed_size
    return file.stat().st_size / table.num_rows, columns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--rows", type=int, default=100_000)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    drawn = random.Random(0)
    for name, table in (
        (IMAGES, images(given.rows, drawn)),
        (DECISIONS, decisions(given.rows, drawn)),
    ):
        each, columns = row_bytes(table, given.work / name)
        print(f"{name}: {each:.1f} bytes a row")
        for column, size in columns.most_common():
            print(f"  {column:<12}{size / given.rows:>6.1f}")


if __name__ == "__main__":
    main()
