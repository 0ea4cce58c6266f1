"""A workspace: its places (manifests, images by hash, checkpoints, runs) and its lock."""

import hashlib
from collections.abc import Collection
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from webemo_curate.config import CONFIG, NOT_KEPT, PipelineConfig, load_remembered
from webemo_curate.errors import InputError
from webemo_curate.machine import at_home
from webemo_curate.manifest_store import MANIFESTS, SPILLS, ManifestStore
from webemo_curate.rooted import below, check_tree
from webemo_curate.storage.bucket import BucketStore
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import LOCK_KEY, FolderStore
from webemo_curate.storage.image_files import ImageFiles
from webemo_curate.storage.image_shards import ImageShards
from webemo_curate.storage.protocols import ImageReader, ImageStore, Store
from webemo_curate.storage.whole_folder import sweep_hidden
from webemo_curate.system_faults import raise_system_fault

CHECKPOINTS, RUNS = "data/checkpoints", "data/runs"
REPORT = "report.html"
OWN: Final = frozenset({MANIFESTS, PurePosixPath(LOCK_KEY).parts[0], CONFIG, REPORT})
"""Names of what a workspace holds; it may be made in the folder whose pictures it curates."""

FANOUT = 2
"""Hex digits of the hash that name an image's folder: 256 folders, for WEBEmo about 900 images in
each."""


class Workspace(ManifestStore):
    """Manifests and data in a folder, or under a prefix of an object store.

    Parameters
    ----------
    store : Path or Store
        The folder, or the store that holds the files.
    part : str, optional
        Name of the part of its images that this process adds, while others add others.
    """

    def __init__(self, store: Path | Store, part: str = "") -> None:
        store = FolderStore(store) if isinstance(store, Path) else store
        super().__init__(store)
        files = store.images() if isinstance(store, FolderStore) else None
        self.images: ImageStore = files or ImageShards(store, part)

    @property
    def reader(self) -> ImageReader:
        """The reader of images for other processes."""
        return self.images.reader

    @property
    def manifests(self) -> Path:
        """Local folder of the Parquet manifests."""
        return self.root / MANIFESTS

    def place(self, key: str) -> Path:
        """Return the local path of a file or folder, after a check that no link leads out of it."""
        check_tree(path := below(self.root, key))
        return path

    @property
    def runs(self) -> Path:
        """Local folder of training runs, one folder for each."""
        return self.root / RUNS

    @property
    def report(self) -> Path:
        """Local file of the HTML report."""
        return self.root / REPORT

    def config(self) -> PipelineConfig:
        """Return the workspace's configuration from its last commands, or the defaults."""
        try:
            return load_remembered(self.store.local(CONFIG))
        except FileNotFoundError:
            return PipelineConfig()

    def save_config(self, config: PipelineConfig) -> None:
        """Remember the configuration for later commands.

        Parameters
        ----------
        config : PipelineConfig
            Stored as `curate.yaml`: the fields that were given, except `NOT_KEPT`.
        """
        document = config.model_dump(mode="json", exclude_unset=True, exclude=NOT_KEPT)
        content = yaml.safe_dump(document, sort_keys=False).encode()
        try:
            known = self.store.local(CONFIG).read_bytes()
        except FileNotFoundError:
            known = None
        if content != known:
            self.store.write(CONFIG, content)

    def remember(self, config: PipelineConfig, sections: Collection[str]) -> None:
        """Remember some sections of a configuration, because the others were not used.

        Parameters
        ----------
        config : PipelineConfig
            The configuration of a command that succeeded.
        sections : collection of str
            Sections to remember. Call it with the lock held.
        """
        given = {
            name: getattr(config, name) for name in sections if name in config.model_fields_set
        }
        self.save_config(self.config().model_copy(update=given))

    def image_path(self, sha256: str, suffix: str) -> str:
        """Return an image's path in the manifests; see `image_path`."""
        return image_path(sha256, suffix)

    def store_image(self, content: bytes, suffix: str) -> str:
        """Store original bytes under their hash; `settle` makes them survive a power cut.

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
        self.store.check_own()
        self.images.add(content, self.image_path(sha256, suffix))
        return sha256

    def link_image(self, content: bytes, suffix: str, file: Path) -> str:
        """Store an image as a hard link to its file; see `store_image`.

        Parameters
        ----------
        content : bytes
            The content of the file.
        suffix : str
            File suffix with its dot.
        file : Path
            Path of the file. If it cannot be linked (another drive, say), it is copied.

        Returns
        -------
        str
            SHA-256 of the bytes, in hex.
        """
        self.store.check_own()
        path = self.image_path(sha256 := hashlib.sha256(content).hexdigest(), suffix)
        if not (isinstance(self.images, ImageFiles) and self.images.link(file, path)):
            self.images.add(content, path)
        return sha256

    def check_linking(self) -> None:
        """Raise if files cannot be linked, because the workspace is on an object store.

        Raises
        ------
        InputError
            If the workspace is not a folder.
        """
        if not isinstance(self.images, ImageFiles):
            raise InputError("--link needs a workspace that is a folder; leave it out to copy")

    def image_paths(self, hashes: Collection[str]) -> dict[str, str]:
        """Return the paths of images by their SHA-256, as in the `images` manifest."""
        images = self.read("images", ["sha256", "path"])
        chosen = images.filter(pc.is_in(images["sha256"], pa.array(list(hashes), pa.string())))
        return dict(zip(*chosen.to_pydict().values(), strict=True))

    def read_image(self, path: str) -> bytes:
        """Return an image's bytes by its path in the manifests.

        Raises
        ------
        OSError
            If it is missing, or its bytes do not match its name.
        """
        content = self.images.read(self.images.places(pa.array([path]))[0].as_py())
        if hashlib.sha256(content).hexdigest() != PurePosixPath(path).stem:
            raise OSError(f"{path}: has other bytes than were fetched")
        return content

    def holds_image(self, sha256: str, suffix: str) -> bool:
        """Return whether an image is stored and its bytes match its name."""
        try:
            self.read_image(self.image_path(sha256, suffix))
        except OSError as error:
            raise_system_fault(error, sha256)
            return False
        return True

    def settle(self) -> None:
        """Wait until every image stored so far is safely in place; see `ImageStore.settle`."""
        self.images.settle()

    def publish(self, *paths: Path) -> None:
        """Publish local files or folders below `root` to the workspace."""
        for path in paths:
            self.store.publish(path.relative_to(self.root).as_posix())

    def pull(self, path: Path) -> Path:
        """Download a folder of the workspace to its local place below `root`; return it."""
        return self.store.pull(path.relative_to(self.root).as_posix())

    def checkpoints(self, stage: str, fingerprint: str) -> Checkpoints:
        """Return a stage's partial results.

        Parameters
        ----------
        stage : str
            The stage's name.
        fingerprint : str
            Identifies the computation; checkpoints of other fingerprints are removed.

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
        """Remove what killed runs left unfinished; call it with the lock held."""
        self.store.sweep()
        self.images.sweep()
        sweep_hidden(below(self.root, SPILLS))

    def lock(self) -> AbstractContextManager[None]:
        """Hold the workspace for one writing command; see `Store.lock`."""
        return self.store.lock()


def open_workspace(place: str) -> Workspace:
    """Open the workspace that the user named.

    Parameters
    ----------
    place : str
        A folder, or `s3://bucket/prefix`.

    Returns
    -------
    Workspace
        For an object store, only if its bucket answers.

    Raises
    ------
    InputError
        If it is neither, or the bucket does not exist, or the credentials are refused.
    """
    if "://" not in place:
        return Workspace(at_home(Path(place)))
    store = BucketStore(place)
    store.check()
    return Workspace(store)


def image_path(sha256: str, suffix: str) -> str:
    """Return an image's path in the manifests, relative to the workspace.

    Parameters
    ----------
    sha256 : str
        Hex digest of its bytes, from which alone the name is made.
    suffix : str
        File suffix with its dot.

    Returns
    -------
    str
        A POSIX path such as `data/images/ab/abc....jpg`: the file's path in a folder, or its name
        in a shard of an object store.
    """
    return f"data/images/{sha256[:FANOUT]}/{sha256}{suffix}"
