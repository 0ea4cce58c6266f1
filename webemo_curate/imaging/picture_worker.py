"""The base of workers that read stored pictures and decode them within limits."""

from dataclasses import dataclass

from webemo_curate.storage.protocols import ImageReader


@dataclass(frozen=True)
class PictureWorker:
    """The attributes a worker needs to read pictures; see `runner.job.Worker`.

    Attributes
    ----------
    images
        Reads stored images.
    max_pixels
        Largest width times height decoded.
    """

    images: ImageReader
    max_pixels: int
