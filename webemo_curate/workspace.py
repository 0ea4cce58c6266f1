"""Where things lie (manifests, images by hash, checkpoints, runs) and who holds the lock."""

import hashlib
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa
import yaml

from webemo_curate.atomic import sync_filesystem, write_bytes, write_unsettled
from webemo_curate.config import PipelineConfig, load_pipeline
from webemo_curate.manifest import ManifestInfo, Origin, read_info, read_manifest, write_manifest
from webemo_curate.storage.base import Store
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore

CHECKPOINTS = "data/checkpoints"

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
        self.store: Store = FolderStore(root)
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

    def checkpoints(self, stage: str, fingerprint: str) -> Checkpoints:
        """Return a stage's partial results.

        Parameters
        ----------
        stage : str
            The stage's name.
        fingerprint : str
            What the stage is about to compute; other fingerprints' leftovers are removed.

        Returns
        -------
        Checkpoints
            Those of this fingerprint.
        """
        parent = f"{CHECKPOINTS}/{stage}"
        mine = f"{parent}/{fingerprint}"
        for stale in self.store.keys(parent):
            if not stale.startswith(f"{mine}/"):
                self.store.remove(stale)
        return Checkpoints(self.store, mine)

    def clear_checkpoints(self, stage: str) -> None:
        """Remove a finished stage's partial results."""
        self.store.remove(f"{CHECKPOINTS}/{stage}")

    def sweep(self) -> None:
        """Remove what a killed run left half done; call it with the lock held."""
        self.store.sweep()

    def lock(self) -> AbstractContextManager[None]:
        """Hold the workspace for one writing command; see `Store.lock`."""
        return self.store.lock()
