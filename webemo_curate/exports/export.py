"""`curate export`: the final set in a form that others read, whole or not at all."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from webemo_curate.config import ExportConfig, ExportFormat
from webemo_curate.exports.chosen_rows import select
from webemo_curate.exports.croissant import write_croissant
from webemo_curate.exports.export_job import ExportJob
from webemo_curate.exports.fiftyone import write_fiftyone
from webemo_curate.exports.huggingface import write_huggingface
from webemo_curate.exports.imagefolder import write_imagefolder
from webemo_curate.exports.license_words import required_license
from webemo_curate.exports.split_lists import write_lists
from webemo_curate.exports.webdataset import write_webdataset
from webemo_curate.progress import ProgressBar
from webemo_curate.storage.whole_folder import whole_folder
from webemo_curate.workspace import Workspace

Writer = Callable[[ExportJob, Path], dict[str, int]]
"""Writes an export into a folder; returns the pictures written, by split."""

WRITERS: dict[ExportFormat, Writer] = {
    ExportFormat.HUGGINGFACE: write_huggingface,
    ExportFormat.WEBDATASET: write_webdataset,
    ExportFormat.IMAGEFOLDER: write_imagefolder,
    ExportFormat.CROISSANT: write_croissant,
    ExportFormat.FIFTYONE: write_fiftyone,
    ExportFormat.CSV: write_lists,
}
LICENSED = frozenset({ExportFormat.HUGGINGFACE, ExportFormat.CROISSANT})
"""Formats with a card that states a license."""


@dataclass(frozen=True)
class Exported:
    """The result of `curate export`.

    Attributes
    ----------
    format
        In which form.
    folder
        Where.
    images
        Of each split; of `dropped` where those that left are written too.
    removed
        Images that were taken down and stayed behind.
    """

    format: str
    folder: str
    images: dict[str, int]
    removed: int

    def summary(self) -> str:
        """Say it in a line."""
        counts = ", ".join(f"{split} {images:,}" for split, images in self.images.items())
        behind = f"; {self.removed:,} images taken down stay behind" if self.removed else ""
        return f"{self.format} in {self.folder}: {counts} images{behind}"


def export(
    workspace: Workspace, form: ExportFormat, folder: Path, config: ExportConfig
) -> Exported:
    """Write the final set for others.

    Parameters
    ----------
    workspace : Workspace
        Holds splits and pictures.
    form : ExportFormat
        How it is written.
    folder : Path
        Where; not there yet, or empty. Equal sets and settings give equal bytes.
    config : ExportConfig
        Splits, shard size, license.

    Returns
    -------
    Exported
        What was written.

    Raises
    ------
    InputError
        If a split is missing or not sound, the folder is there, or a license is needed.
    CurateError
        If a picture is missing or its bytes have changed, or the disk is full.
    """
    if form in LICENSED:
        required_license(config, f"a {form} export")
    selection = select(workspace, config.splits)
    with (
        whole_folder(folder) as partial,
        ProgressBar(selection.rows, f"export {form}", "image") as bar,
    ):
        images = WRITERS[form](ExportJob(selection, config, bar), partial)
    return Exported(str(form), str(folder), images, len(selection.removed))
