"""A release's README: what it holds, how the set came about, how it is rebuilt."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from webemo_curate import __version__
from webemo_curate.accounting import FunnelStep, funnel
from webemo_curate.config import ExportConfig
from webemo_curate.exports.chosen_rows import Selection
from webemo_curate.exports.format_card import count_lines, escaped, label_lines, table_row
from webemo_curate.exports.license_words import OWNERS, required_license
from webemo_curate.releases import files
from webemo_curate.workspace import Workspace

WHAT = {
    files.IMAGES: "every image of the set: hashes, URLs, label, class, group, split, size",
    files.DECISIONS: "every other listed URL or file: stage, reason, scores and thresholds",
    files.REMOVED: "what was taken down: hashes of images and of URLs, with the date",
    files.PIPELINE: "the settings that the set was made with",
    files.CROISSANT: "what the columns mean, for machines",
    files.SUMS: "SHA-256 of these files: `sha256sum -c SHA256SUMS`",
}

REBUILD = """\
With webemo-curate installed (its version stands at the top),

```
curate rebuild RELEASE --workspace WORKSPACE
```

fetches every picture politely and takes those whose bytes have the SHA-256 of `images.parquet`.
Where all are alive the split manifests are those this release was made from, to the digest.
`rebuild.parquet` tells what became of each of the others: same pixels, re-encoded, replaced, dead,
or a near duplicate that `decisions.parquet` names. `--check-only` asks and stores no picture.
`img2dataset` reads `images.parquet` too: `--url_col url --verify_hash '["sha256","sha256"]'`.
"""

NEED_FILES = "who has the files rebuilds with --pictures DIR"

TAKE_DOWN = (
    "Whoever holds rights in a picture and wants it out asks whoever published this release, who "
    "runs `curate release RELEASE --remove URL`. `removed.parquet` then names its hash and no URL: "
    "drop those pictures from your copies."
)


def write_release_card(
    path: Path,
    workspace: Workspace,
    selection: Selection,
    config: ExportConfig,
    removed: pa.Table,
    local: int = 0,
) -> None:
    """Write README.md.

    Parameters
    ----------
    path : Path
        The file.
    workspace : Workspace
        What the funnel is counted over.
    selection : Selection
        Counts by split, class and label.
    config : ExportConfig
        Name and license.
    removed : pa.Table
        Tombstones.
    local : int, default 0
        Images that no URL gives.
    """
    steps = funnel(workspace)
    stones = len(removed["sha256"].drop_null())
    license_words = escaped(required_license(config, "a release"))
    parts = [
        f"# {escaped(config.name)}",
        f"Made by webemo-curate {__version__}. No picture is part of this release.",
        "\n".join(f"- `{name}`: {what}" for name, what in WHAT.items()),
        "## Images",
        "\n".join(count_lines(selection)),
        "## Labels",
        "`label` decided the class; `labels` are all that the picture stood under.",
        "\n".join(label_lines(selection)),
        "## How the set came about",
        "\n".join(_funnel_lines(steps)),
        f"Taken down since: {stones:,} images.",
        "## How it is rebuilt",
        REBUILD.strip() + (f"\n\n{_local_said(local)}" if local else ""),
        "## Rights",
        f"License: {license_words}. {OWNERS}",
        TAKE_DOWN,
    ]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _local_said(local: int) -> str:
    return (
        f"{local:,} images were local files: no URL gives them. Whoever has the files names their "
        "folder or table: `curate rebuild RELEASE --workspace WORKSPACE --pictures DIR`. They are "
        "found by content, whatever their names are now."
    )


def _funnel_lines(steps: list[FunnelStep]) -> Iterator[str]:
    yield table_row(["stage", "entered", "left", "remaining", "why"])
    yield table_row(["---"] * 5)
    for step in steps:
        why = ", ".join(f"{reason} {count:,}" for reason, count in step.left.items()) or "-"
        left = f"{sum(step.left.values()):,}"
        remaining = f"{step.remaining:,} {step.unit}"
        yield table_row([step.stage, f"{step.entered:,}", left, remaining, escaped(why)])
