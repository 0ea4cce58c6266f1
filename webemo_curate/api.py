"""The public surface: a workspace's manifests and images, and a trained network's predictions."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from webemo_curate import workspace as places
from webemo_curate.accounting import FunnelStep
from webemo_curate.errors import InputError
from webemo_curate.manifest_store import MANIFESTS
from webemo_curate.pipeline import Pipeline

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from PIL import Image

    from webemo_curate.evaluation.predict import Prediction, Source
    from webemo_curate.models.registry import Network


class CuratedWorkspace:
    """A workspace opened for reading: nothing is written, and no stage runs.

    Parameters
    ----------
    place : str or Path
        A folder, or `s3://bucket/prefix`.

    Raises
    ------
    InputError
        If an object store does not answer.
    """

    def __init__(self, place: str | Path) -> None:
        self._workspace = places.open_workspace(str(place))
        config = self._workspace.config()
        self._max_pixels = config.decoding.max_pixels
        self._pipeline = Pipeline(self._workspace, config)

    @property
    def manifests(self) -> list[str]:
        """Names of the existing manifests, those of added sets included."""
        keys = self._workspace.store.keys(MANIFESTS)
        return sorted(Path(key).stem for key in keys if key.endswith(".parquet"))

    def arrow(self, manifest: str, columns: Sequence[str] | None = None) -> "pa.Table":
        """Return a manifest as an Arrow table.

        Parameters
        ----------
        manifest : str
            Name of the manifest, such as `train`.
        columns : sequence of str, optional
            The columns to read; by default all.

        Returns
        -------
        pyarrow.Table
            Its rows; docs/manifests.md describes the columns.

        Raises
        ------
        InputError
            If it is missing or damaged; the message names the command that writes it.
        """
        return self._workspace.read_any(manifest, list(columns) if columns else None)

    def pandas(self, manifest: str, columns: Sequence[str] | None = None) -> "pd.DataFrame":
        """Return a manifest as a DataFrame of Arrow types: hashes and counts stay whole numbers.

        Parameters and errors are those of `arrow`.
        """
        from webemo_curate.frames import to_frame

        return to_frame(self.arrow(manifest, columns))

    def image(self, sha256: str) -> "Image.Image":
        """Return a stored picture, upright and in RGB.

        Parameters
        ----------
        sha256 : str
            SHA-256 of its content, in hex.

        Returns
        -------
        PIL.Image.Image
            The picture as the stages see it.

        Raises
        ------
        InputError
            If no image has this hash, or the image cannot be decoded.
        """
        from webemo_curate.imaging import DecodeError, load_apart

        try:
            return load_apart(self.image_bytes(sha256), self._max_pixels)
        except DecodeError as error:
            raise InputError(f"{sha256}: {error}") from error

    def image_bytes(self, sha256: str) -> bytes:
        """Return a stored picture's bytes as they were served.

        Raises
        ------
        InputError
            If no image has this hash, or its file is missing.
        """
        path = self._workspace.image_paths([sha256]).get(sha256)
        if path is None:
            raise InputError(f"{sha256}: no image of the workspace has this hash")
        try:
            return self._workspace.read_image(path)
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error

    def funnel(self) -> list[FunnelStep]:
        """Return what each stage took in, dropped and passed on."""
        return self._pipeline.funnel()

    def status(self) -> dict[str, str | None]:
        """Return for each stage the reason why it would run; None if it is current."""
        return dict(self._pipeline.status())


class TrainedNetwork:
    """A run's network, loaded and ready to predict.

    Parameters
    ----------
    run : str or Path
        The run's folder.
    device : {'auto', 'cpu', 'cuda'}
        The device to compute on.

    Raises
    ------
    InputError
        If the folder holds no finished run, or the device is not available.
    """

    def __init__(self, run: str | Path, device: str = "auto") -> None:
        self._run, self._device_name = Path(run), device
        self.classes = _classes(self._run)

    @cached_property
    def _network(self) -> "Network":
        from webemo_curate.evaluation.predict import open_network

        return open_network(self._run, self._device_name)

    def predict(self, images: "Sequence[Source]") -> "list[Prediction]":
        """Classify pictures.

        Parameters
        ----------
        images : sequence of str, Path or PIL.Image.Image
            Files, or pictures in memory.

        Returns
        -------
        list of Prediction
            Class, its probability and the positive class's, in the order given.

        Raises
        ------
        InputError
            If a picture cannot be read.
        """
        from webemo_curate.evaluation.predict import classify

        return classify(self._network, self._run, images)


def open_workspace(place: str | Path) -> CuratedWorkspace:
    """Open a workspace to read; see `CuratedWorkspace`."""
    return CuratedWorkspace(place)


def load_network(run: str | Path, device: str = "auto") -> TrainedNetwork:
    """Load a run's network; see `TrainedNetwork`."""
    return TrainedNetwork(run, device)


def _classes(run: Path) -> tuple[str, ...]:
    from webemo_curate.runs import is_finished, load_classes

    if not is_finished(run):
        raise InputError(f"{run}: no finished run; give a folder below data/runs of a workspace")
    return load_classes(run)
