"""The base of workers that read stored pictures and decode them within bounds."""

from dataclasses import dataclass

from webemo_curate.storage.protocols import ImageReader


@dataclass(frozen=True)
class PictureWorker:
    """Holds what a worker needs to read a picture; see `runner.job.Worker`.

    Attributes
    ----------
    images
        Reads stored images.
    max_pixels
        Largest width times height that is decoded.
    """

    images: ImageReader
    max_pixels: int
