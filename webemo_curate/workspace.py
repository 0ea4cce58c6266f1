"""Where things lie (manifests, images by hash, checkpoints, runs) and who holds the lock."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import yaml

from webemo_curate.atomic import PARTIAL_SUFFIX, sync_filesystem, write_bytes, write_unsettled
from webemo_curate.config import PipelineConfig, load_pipeline
from webemo_curate.errors import CurateError, InputError
from webemo_curate.manifest import ManifestInfo, Origin, read_info, read_manifest, write_manifest

FANOUT = 2
"""Hex digits of the hash that name an image's folder: 256 folders, about 900 of WEBEmo's each."""


class Workspace:
    """A folder with `manifests/` and `data/` below it.

    Parameters
    ----------
    root : Path
        The folder; made on first write.
    """

    def __init__(self, root: Path) -> None:
        if root.exists() and not root.is_dir():
            raise InputError(f"{root}: not a folder; give --workspace a folder")
        self.root = root

    @property
    def manifests(self) -> Path:
        """Folder of the Parquet manifests."""
        return self.root / "manifests"

    @property
    def data(self) -> Path:
        """Folder of everything else: images, lists, checkpoints, runs."""
        return self.root / "data"

    @property
    def runs(self) -> Path:
        """Folder of training runs, one folder each."""
        return self.data / "runs"

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.root / "report.html"

    @property
    def config_path(self) -> Path:
        """The pipeline file that remembers the options given so far."""
        return self.root / "curate.yaml"

    def config(self) -> PipelineConfig:
        """Return the configuration the workspace was last worked with, or the defaults."""
        return load_pipeline(self.config_path) if self.config_path.exists() else PipelineConfig()

    def save_config(self, config: PipelineConfig) -> None:
        """Remember the configuration for the commands that follow.

        Parameters
        ----------
        config : PipelineConfig
            Stored as `curate.yaml`: the fields that were given, without `retry_status`, which is
            asked for once.
        """
        document = config.model_dump(
            mode="json", exclude_unset=True, exclude={"fetch": {"retry_status"}}
        )
        write_bytes(self.config_path, yaml.safe_dump(document, sort_keys=False).encode())

    def manifest_path(self, name: str) -> Path:
        """Return the file of a manifest."""
        return self.manifests / f"{name}.parquet"

    def has(self, name: str) -> bool:
        """Tell whether a manifest is there."""
        return self.manifest_path(name).exists()

    def read(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """Read a manifest; see `manifest.read_manifest`."""
        return read_manifest(self.manifest_path(name), name, columns)

    def info(self, name: str) -> ManifestInfo | None:
        """Read a manifest's metadata; None if it is missing or unreadable."""
        return read_info(self.manifest_path(name))

    def write(self, name: str, table: pa.Table, origin: Origin) -> ManifestInfo:
        """Write a manifest atomically; see `manifest.write_manifest`."""
        return write_manifest(self.manifest_path(name), name, table, origin)

    def write_as(self, kind: str, name: str, table: pa.Table, origin: Origin) -> ManifestInfo:
        """Write a manifest of one kind under another name; see `manifest.write_manifest`."""
        return write_manifest(self.manifest_path(name), kind, table, origin)

    def image_path(self, sha256: str, suffix: str) -> str:
        """Return where an image lies, relative to the root.

        Parameters
        ----------
        sha256 : str
            Hex digest of its bytes; the name is made of nothing else.
        suffix : str
            File suffix with its dot.

        Returns
        -------
        str
            A POSIX path such as `data/images/ab/abc....jpg`.
        """
        return f"data/images/{sha256[:FANOUT]}/{sha256}{suffix}"

    def find_image(self, sha256: str) -> Path:
        """Return an image's file where only its hash is known.

        Parameters
        ----------
        sha256 : str
            Hex digest of its bytes.

        Returns
        -------
        Path
            The file; a path where nothing lies if the image is not stored.
        """
        bare = self.root / self.image_path(sha256, "")
        return next(bare.parent.glob(f"{sha256}.*"), bare)

    def store_image(self, content: bytes, suffix: str) -> str:
        """Store original bytes under their hash, once; `settle` makes them outlast a power cut.

        Parameters
        ----------
        content : bytes
            The body as served.
        suffix : str
            File suffix with its dot.

        Returns
        -------
        str
            SHA-256 of the bytes, in hex.

        Raises
        ------
        CurateError
            If the file cannot be written (a full disk, say).
        """
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.root / self.image_path(sha256, suffix)
        # A file that an unsettled run left may have its length and not its bytes.
        if not path.exists() or path.read_bytes() != content:
            write_unsettled(path, content)
        return sha256

    def holds_image(self, sha256: str, suffix: str) -> bool:
        """Tell whether an image's file is there and has the bytes its name says."""
        path = self.root / self.image_path(sha256, suffix)
        return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256

    def settle(self) -> None:
        """Wait until every image stored so far is on the disk itself.

        One call for many files: a flush of each would cost more than its download.
        """
        sync_filesystem(self.data)

    def checkpoints(self, stage: str, fingerprint: str) -> Path:
        """Return the folder of a stage's partial results, made if need be.

        Parameters
        ----------
        stage : str
            The stage's name.
        fingerprint : str
            What the stage is about to compute; other fingerprints' leftovers are removed.

        Returns
        -------
        Path
            The folder.
        """
        parent = self.data / "checkpoints" / stage
        folder = parent / fingerprint
        for stale in parent.glob("*"):
            if stale != folder:
                shutil.rmtree(stale, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def clear_checkpoints(self, stage: str) -> None:
        """Remove a finished stage's partial results."""
        shutil.rmtree(self.data / "checkpoints" / stage, ignore_errors=True)

    def sweep(self) -> None:
        """Remove temporary files that a killed run left; call it with the lock held."""
        unfinished_fetch = (self.data / "checkpoints" / "fetch").exists()
        for folder, below, files in os.walk(self.root):
            if Path(folder) == self.data and not unfinished_fetch:
                # Hundreds of thousands of files, and none of them left behind.
                below[:] = [name for name in below if name != "images"]
            for name in files:
                if name.startswith(".") and name.endswith(PARTIAL_SUFFIX):
                    (Path(folder) / name).unlink(missing_ok=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the workspace for one writing command.

        Raises
        ------
        CurateError
            If another command holds it; the lock ends with its process, however that dies.
        """
        try:
            self.data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CurateError(
                f"{self.root}: cannot be made a workspace: {error.strerror}; "
                "give --workspace a folder you may write to"
            ) from error
        with (self.data / "lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise CurateError(
                    f"{self.root}: another curate command works here; wait for it to end"
                ) from error
            yield
