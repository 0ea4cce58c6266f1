"""Apply the text filter to an external set, as to the workspace's own images."""

from pathlib import PurePosixPath

import pyarrow as pa

from webemo_curate.runner.job import Runner
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.stages.images import ImagesStage
from webemo_curate.stages.ocr import OcrStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.stages.text import TextStage
from webemo_curate.table_digest import content_digest
from webemo_curate.verdicts import FetchStatus, TextVerdict


class _SetImages(ImagesStage):
    """The images stage, with partial results separate from the workspace's own."""

    name = "set-images"


class _SetOcr(OcrStage):
    """The ocr stage, with partial results separate from the workspace's own."""

    name = "set-ocr"


def text_verdicts(images: pa.Table, work: WorkContext, runner: Runner) -> dict[str, str]:
    """Find the images of a set that bear text or cannot be read.

    Parameters
    ----------
    images : pa.Table
        `sha256` and `path` of images that the workspace stores.
    work : WorkContext
        The workspace, and the `filter_text` section to use.
    runner : Runner
        Runs the OCR.

    Returns
    -------
    dict of str to str
        The verdict, by SHA-256, of each image that is not clean.
    """
    config, workspace = work.config, work.workspace
    finder = _SetOcr(config.filter_text.ocr, elsewhere=config.runner.elsewhere)
    context = StageContext(workspace, runner, content_digest(images))
    tables = {"fetch": _as_fetched(images)}
    tables |= _SetImages(config.images, config.decoding).run(tables, context)
    tables |= finder.run(tables, context)
    text = TextStage(config.filter_text.rule).run(tables, context)["text"]
    for stage in (_SetImages, _SetOcr):
        workspace.clear_checkpoints(stage.name)
    verdicts = zip(text["sha256"].to_pylist(), text["verdict"].to_pylist(), strict=True)
    return {sha256: verdict for sha256, verdict in verdicts if verdict != TextVerdict.CLEAN}


def _as_fetched(images: pa.Table) -> pa.Table:
    """Return rows in the form that the images stage takes."""
    rows = images.num_rows
    suffixes = [PurePosixPath(path).suffix for path in images["path"].to_pylist()]
    return pa.table(
        {
            "status": pa.array([FetchStatus.OK.value] * rows, pa.string()),
            "sha256": images["sha256"],
            "suffix": pa.array(suffixes, pa.string()),
            "bytes": pa.array([0] * rows, pa.int64()),
        }
    )
