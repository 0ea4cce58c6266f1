"""The ocr stage: find and read the text of every image once, and store all boxes."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import pyarrow as pa

from webemo_curate.config import BOUNDS, OcrConfig
from webemo_curate.imaging import (
    DecodeError,
    Frame,
    distinct_frames,
    give_back_after,
    guard_process,
    read_stored,
)
from webemo_curate.ocr.batches import SERVED_IMAGES
from webemo_curate.ocr.cascade import looks_again, make_detector
from webemo_curate.ocr.detector import TextBox, TextDetector
from webemo_curate.ocr.pixels import Pixels, to_pixels
from webemo_curate.ocr.selection import EngineChoice, choose_engine
from webemo_curate.ocr.self_check import require_working
from webemo_curate.ocr.windows import PIXELS_AT_ONCE, frames_seen, pixels_seen, windows
from webemo_curate.runner.job import Resources, Worker
from webemo_curate.runner.reporting import rows_done
from webemo_curate.schemas import OCR
from webemo_curate.stages.decoded_images import decoded_rows
from webemo_curate.stages.stage import RowLocalStage, StageContext, Tables
from webemo_curate.storage.protocols import ImageReader
from webemo_curate.system_faults import raise_system_fault

if TYPE_CHECKING:
    from webemo_curate.ocr.feeding.fed_worker import FedWorker

logger = logging.getLogger(__name__)

DECODING_THREADS = 8
"""Threads that decode images for an engine that takes many at once."""

WORKER_BYTES = 3 * 2**30
"""Memory for the networks and a window of images, with room to spare: 0.4 GB were measured on
photos, and up to 1.0 GB with pictures of 64 megapixels."""

GPU_WORKER_BYTES = 4 * 2**30
"""Memory for the networks on a GPU: 1.4 GB were measured, CUDA's libraries included."""

HELPERS = 7
"""Helper processes of a GPU if the runner does not know of more cores."""

ROWS_A_GPU = 4096
"""Rows for about ten seconds of a GPU, which idles towards the end of each partition."""

CRASHED = (
    f"the text engine crashed, or decoding took more than {BOUNDS.seconds:.0f} s of processor time"
)

RESOLVED = frozenset({"engine", "device", "second_side", "drawn"})
"""Settings that enter the fingerprint in their resolved form: engine, version, further looks."""

Row = dict[str, Any]


class ReadFrame(NamedTuple):
    """A frame of an image: its index, and its pixels as upright RGB."""

    number: int
    pixels: Pixels


class OcrStage(RowLocalStage[OcrConfig]):
    """Run a text engine on every image that decodes.

    Parameters
    ----------
    config : OcrConfig
        Engine, device and sizes.
    elsewhere : bool, default False
        Whether the work runs on other machines than this one; see `choose_engine`.
    """

    name = "ocr"
    version = 9
    inputs: ClassVar = {
        "images": ("sha256", "path", "decode_status", "width", "height", "frames"),
    }
    outputs = ("ocr",)
    seconds_a_row = 0.28  # benchmarks/stage_seconds.py, on web photos of up to 220 px height

    def __init__(self, config: OcrConfig, *, elsewhere: bool = False) -> None:
        super().__init__(config)
        self._elsewhere = elsewhere

    @property
    def partition_rows(self) -> int:
        """Rows handed to a worker at a time: on a GPU enough to keep its helpers busy."""
        on_gpu = self._choice().device == "gpu"
        return max(self.config.partition_rows, ROWS_A_GPU) if on_gpu else self.config.partition_rows

    @property
    def resources(self) -> Resources:
        """Resources of a worker: with a GPU engine, a GPU and cores for its helpers."""
        if self._choice().device == "gpu":
            return Resources(cpus=HELPERS + 1, gpus=1, memory_bytes=GPU_WORKER_BYTES)
        return Resources(memory_bytes=WORKER_BYTES)

    def configuration(self) -> dict[str, Any]:
        """Return the settings that change boxes, with the engine's in resolved form."""
        choice = self._choice()
        settings = self.config.fingerprint()
        plain = {name: value for name, value in settings.items() if name not in RESOLVED}
        engine = {"engine": choice.engine, "engine_version": choice.version}
        return plain | engine | looks_again(self.config, choice)

    def select(self, tables: Tables) -> pa.Table:
        """Return the decodable images: sha256, path, width, height and number of frames."""
        images = decoded_rows(tables["images"])
        return images.select(["sha256", "path", "width", "height", "frames"])

    def worker(self, context: StageContext) -> Worker:
        """Return the worker that holds the engine."""
        choice = self._choice()
        logger.info("text engine: %s on %s: %s", choice.engine, choice.device, choice.reason)
        detector = make_detector(self.config, choice)
        worker = OcrWorker(
            context.workspace.reader, choice.engine, choice.version, detector, self.config.frames
        )
        return fed(worker) if choice.device == "gpu" else worker

    def _choice(self) -> EngineChoice:
        return choose_engine(self.config, elsewhere=self._elsewhere)


@dataclass(frozen=True)
class OcrWorker:
    """Reads stored images and runs a detector on them.

    Attributes
    ----------
    images
        Reads stored images.
    engine, engine_version
        Recorded with every row.
    detector
        Finds and reads text.
    frames
        Most frames of an animation that are read.
    threads
        Threads that decode images for a detector that takes many at once.
    """

    images: ImageReader
    engine: str
    engine_version: str
    detector: TextDetector
    frames: int
    threads: int = DECODING_THREADS

    @property
    def output_schema(self) -> pa.Schema:
        """The ocr manifest's schema."""
        return OCR

    def setup(self) -> None:
        """Load the networks, check that they work, and let a picture kill the process."""
        self.detector.setup()
        require_working(self.detector)
        guard_process()

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Find the text of a batch of images; see `runner.job.Worker.process`."""
        outcomes = []
        for decoded in self._decoded_windows(batch.to_pylist()):
            sound = [
                frame.pixels
                for frames in decoded
                if not isinstance(frames, str)
                for frame in frames
            ]
            found = iter(self._detect(sound))
            outcomes += [
                _unreadable(frames)
                if isinstance(frames, str)
                else _join([(frame.number, next(found)) for frame in frames])
                for frames in decoded
            ]
            rows_done(len(decoded))
        return self._to_batch(batch, outcomes)

    def crashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows of images that killed the engine's process."""
        return self._to_batch(batch, [_unreadable(CRASHED)] * batch.num_rows)

    def _decoded_windows(self, rows: list[Row]) -> Iterator[list[list[ReadFrame] | str]]:
        """Yield decoded windows of rows; a next window that is small is decoded meanwhile."""
        at_once = self.detector.images_at_once
        with ThreadPoolExecutor(min(at_once, self.threads)) as pool:
            ahead: Iterator[list[ReadFrame] | str] = iter(())
            held = 0
            for window in windows(rows, at_once, self.frames):
                own = sum(pixels_seen(row, self.frames) for row in window)
                if held + own > PIXELS_AT_ONCE:
                    yield list(ahead)
                coming = pool.map(self._decode, window)
                yield list(ahead)  # nothing is left of a window that was yielded before
                ahead, held = coming, own
            yield list(ahead)

    def _decode(self, row: Row) -> list[ReadFrame] | str:
        """Return the image's distinct frames, or the reason why there are none."""
        pixels: int = row["width"] * row["height"]
        try:
            content = read_stored(self.images, row["place"])
            give_back_after(pixels)  # what the engine freed since
            # The pixel limit is what the images stage counted: a file swapped since then is not
            # decoded.
            seen = frames_seen(row, self.frames)
            frames = distinct_frames(content, pixels, row["frames"], seen)
            # Of each frame one copy is held: no picture is left once its pixels are.
            return [_read(frames.pop(0)) for _ in range(len(frames))]
        except DecodeError as error:
            return str(error)
        finally:
            give_back_after(pixels)

    def _detect(self, images: Sequence[Pixels]) -> list[Row]:
        try:
            return [_readable(boxes) for boxes in self.detector.detect(images)]
        except Exception as error:  # engines raise many kinds; one image must not cost others
            raise_system_fault(error)
            if len(images) == 1:
                require_working(self.detector)  # an engine that worked at first may fail by now
                return [_unreadable(f"{type(error).__name__}: {error}")]
            return [outcome for image in images for outcome in self._detect([image])]

    def _to_batch(self, batch: pa.RecordBatch, outcomes: list[Row]) -> pa.RecordBatch:
        engine = {"engine": self.engine, "engine_version": self.engine_version}
        rows = [
            {"sha256": sha256} | engine | outcome
            for sha256, outcome in zip(batch["sha256"].to_pylist(), outcomes, strict=True)
        ]
        return pa.RecordBatch.from_pylist(rows, schema=OCR)


def fed(worker: OcrWorker, helpers: int = HELPERS, device: str = "cuda") -> "FedWorker":
    """Make a worker for a GPU that runs the networks, with helpers that run the given worker.

    Parameters
    ----------
    worker : OcrWorker
        A worker whose detector is for a GPU.
    helpers : int, default HELPERS
        Number of helpers; a runner may choose another.
    device : str, default "cuda"
        Device that runs the networks, as torch names it.

    Returns
    -------
    FedWorker
        Picklable; nothing is loaded before its `setup`.
    """
    from webemo_curate.ocr.feeding.fed_worker import FedWorker

    return FedWorker(
        name="ocr",
        worker=replace(worker, threads=1),
        networks=worker.detector.networks(),
        helpers=helpers,
        rows_at_once=SERVED_IMAGES,
        helper_bytes=WORKER_BYTES,
        device=device,
    )


def _read(frame: Frame) -> ReadFrame:
    return ReadFrame(frame.number, to_pixels(frame.picture))


def _join(found: Sequence[tuple[int, Row]]) -> Row:
    """Combine an image's frames: all their boxes, each with its frame's number."""
    for number, outcome in found:
        if not outcome["readable"]:
            return (
                outcome if len(found) == 1 else _unreadable(f"frame {number}: {outcome['error']}")
            )
    boxes = [box | {"frame": number} for number, outcome in found for box in outcome["boxes"]]
    return {"readable": True, "error": None, "boxes": boxes}


def _readable(boxes: list[TextBox]) -> Row:
    return {"readable": True, "error": None, "boxes": [asdict(box) for box in boxes]}


def _unreadable(reason: str) -> Row:
    return {"readable": False, "error": reason, "boxes": []}
