"""SECURITY.md says the bounds that the code has."""

import re
from pathlib import Path

import pytest

from webemo_curate import quoting, verdicts
from webemo_curate.config import (
    BOUNDS,
    DecodingConfig,
    FetchConfig,
    settings,
    yaml_files,
)
from webemo_curate.download import (
    addresses,
    exchange,
    journal,
    large_file,
    names,
    outcome,
    response,
    robots,
    room,
    rules_held,
    transport,
)
from webemo_curate.imaging import apart
from webemo_curate.installation import weight_download
from webemo_curate.releases import files
from webemo_curate.review_page import desk, page_app
from webemo_curate.reviews import review_files, review_segments
from webemo_curate.sources import (
    cell_rules,
    dialect,
    folder_walk,
    json_lines,
    parquet_tables,
    published_lists,
    webemo,
)
from webemo_curate.storage import bucket, conditional, lease

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "SECURITY.md").read_text()
UNITS = ("", " KiB", " MiB", " GiB")


def size(count: int) -> str:
    """Write bytes as the page does."""
    power = 0
    while count % 1024 == 0 and count:
        count, power = count // 1024, power + 1
    return f"{count:,}{UNITS[power]}"


def rows(title: str) -> dict[str, list[str]]:
    """Return the rows of the tables under a heading, by their first cell."""
    section = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]
    return {first.strip(): [cell.strip() for cell in rest] for first, *rest in lines}


KEPT = response.KEPT.values()
DAYS = outcome.MAX_RETRY_AFTER / 86_400
STATED = {
    "a configuration file": f"{size(yaml_files.MAX_BYTES)}, {yaml_files.MAX_VALUES:,} values with "
    f"aliases written out, {yaml_files.MAX_DEPTH} levels",
    "numbers in it": f"whole: {settings.WHOLE_BOUND.bit_length() + 1} bits; others: "
    f"{settings.SMALLEST:.0e} to {settings.LARGEST:.0e}, no NaN or infinity; each field's own",
    "a value shown in a message": f"{quoting.VALUE_CHARACTERS} characters; a message "
    f"{quoting.MESSAGE_CHARACTERS:,}; no control characters, nor in what is printed or logged",
    "a URL": f"{addresses.MAX_URL_CHARACTERS:,} characters",
    "redirects of a URL; of a robots.txt": f"`max_redirects` ({FetchConfig().max_redirects}); "
    f"{robots.MAX_ROBOTS_REDIRECTS}",
    "a body, its content codings undone": f"`max_bytes` ({size(FetchConfig().max_bytes)}), "
    f"{exchange.MAX_CODINGS} codings",
    "a header that is kept; of its repeats": f"{min(KEPT)} to {max(KEPT):,} bytes; "
    f"{response.MAX_VALUES}",
    "cookies of a URL": size(transport.MAX_COOKIE_BYTES),
    "a robots.txt; the rules of all sites": f"{size(robots.MAX_ROBOTS_BYTES)}, cut at a line's "
    f"end; {rules_held.MAX_RULES:,}",
    "a `Retry-After`": f"{DAYS:.0f} days; it ends a URL beyond `--timeout`",
    "requests under way; look-ups of names": f"`--connections` ({FetchConfig().connections}); "
    f"{names.MAX_LOOKUPS}",
    "bytes of bodies on their way or waiting to be examined, all together": (
        f"{size(room.MAX_HELD_BYTES)} and one body a process"
    ),
    "a line of the journal": size(journal.MAX_LINE),
    "the local copies of a bucket": size(bucket.CACHE_BYTES),
    "a request to a bucket": f"{conditional.REQUEST_SECONDS:.0f} s, "
    f"{conditional.ATTEMPTS} attempts",
    "a picture's file in a folder": size(folder_walk.MAX_FILE_BYTES),
    "a category file; a line of a list": f"{size(webemo.MAX_CATEGORY_BYTES)}; "
    f"{size(webemo.MAX_LINE_BYTES)}",
    "a line of JSON; columns of a table; a URL in a cell": f"{size(json_lines.MAX_LINE_BYTES)}; "
    f"{dialect.MAX_COLUMNS:,}; {cell_rules.MAX_URL:,} characters",
    "rows of a Parquet table; memory for those read at a time: of text, of pictures": (
        f"{parquet_tables.MAX_ROWS:,}; {size(parquet_tables.TEXT_BYTES)}, "
        f"{size(parquet_tables.PICTURE_BYTES)}"
    ),
    "classes": str(verdicts.MOST_CLASSES),
    "a published list": size(published_lists.MAX_LIST_BYTES),
    "the sums of a release": size(files.MAX_SUMS_BYTES),
    "a file of weights that is downloaded; its redirects": f"{size(weight_download.MAX_BYTES)}; "
    f"{large_file.MAX_REDIRECTS}",
    "a request to the review page; cases in it; a line of its journal": (
        f"{size(page_app.MAX_BYTES)}; {desk.MAX_AT_ONCE}; {size(review_segments.MAX_LINE)}"
    ),
    "a table of decisions": size(review_files.LARGEST),
}
LARGEST = DecodingConfig().max_pixels
PICTURES = {
    "width times height (`decoding.max_pixels`)": f"{LARGEST:,}",
    "of WebP and AVIF, whose decoders hold four copies": f"{BOUNDS.canvas_pixels:,}",
    "scans of a JPEG times its pixels": f"{BOUNDS.scanned_pixels:,} (of 8,000 x 8,000: "
    f"{BOUNDS.scanned_pixels // 8000**2} scans)",
    "segments of a JPEG before its first scan, with bytes between them; chunks of a PNG": (
        f"{BOUNDS.header_steps:,}"
    ),
    "strips or tiles of a TIFF": f"{BOUNDS.strips:,}",
    "pixels of a tile of a TIFF": f"{BOUNDS.tile_pixels:,}",
    "bytes of the samples of a TIFF that Pillow does not read": f"{BOUNDS.sample_bytes:,}",
    "pixels of a BMP with run-length coding": f"{BOUNDS.run_pixels:,}",
    "blocks of a GIF": f"{BOUNDS.gif_blocks:,}",
    "frames followed of an animation": f"as many as hold {BOUNDS.reach} x `max_pixels`, a frame "
    f"counting {BOUNDS.frame_pixels:,} at least",
    "color profile": f"{size(BOUNDS.profile_bytes)}; a larger one is not applied",
    "bytes of a body (`fetch.max_bytes`)": size(FetchConfig().max_bytes),
    "processor time for a file": f"{BOUNDS.seconds:.0f} s",
    "memory for a file, on Linux": f"{BOUNDS.memory_bytes // 10**6:,} MB",
}


def test_each_bound_is_that_of_the_code() -> None:
    found = rows("Bounds")
    assert {of: cells[0] for of, cells in found.items() if of != "of"} == STATED
    for _, where in found.values():
        for module in re.findall(r"`(.+?)`", where):
            assert (PROJECT / "webemo_curate" / module).is_file(), module


def test_each_bound_of_pictures_is_that_of_the_code() -> None:
    assert {of: cells[0] for of, cells in rows("Pictures").items() if of != "bound"} == PICTURES


@pytest.mark.parametrize(
    "said",
    [
        f"must have been silent for {lease.SILENT_SECONDS:.0f} seconds",
        f"could not renew for {lease.FENCED_SECONDS:.0f} seconds",
        f"more than {robots.MAX_STEPS:,} comparisons",
        f"processes of their own (at most {('eight',)[apart.MAX_PROCESSES - 8]})",
    ],
)
def test_times_and_numbers_in_sentences_are_those_of_the_code(said: str) -> None:
    assert said in " ".join(PAGE.split())


def test_the_page_names_tests_and_modules_that_are_there() -> None:
    for path in re.findall(r"`((?:tests|webemo_curate)/[\w/]+\.py)`", PAGE):
        assert (PROJECT / path).is_file(), path
