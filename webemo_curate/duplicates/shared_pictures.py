"""The findings of the leak check: pairs with an external set, and which of it training has seen."""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from webemo_curate.frames import to_frame
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

TRAINED_ON = (Split.TRAIN, Split.VALIDATION)
"""Weights were fitted to the first and chosen by the second."""


@dataclass(frozen=True)
class SharedPictures:
    """An external set held against a workspace.

    Attributes
    ----------
    name
        Of the set.
    images
        Files in the set.
    matches
        The manifest of matches, a row each; its columns are in docs/manifests.md.
    path
        Where it lies.
    """

    name: str
    images: int
    matches: pa.Table
    path: str

    def summary(self) -> str:
        """Say how many images are shared, how they were found, and how many have siblings."""
        rows = to_frame(self.matches)
        same = rows[~rows["sibling"].astype(bool)].drop_duplicates("path")
        ways = ", ".join(f"{way} {n}" for way, n in same["method"].value_counts().items() if n)
        found = f"{len(same)} of {self.images} images are in the workspace too"
        kin = rows["path"].nunique() - len(same)
        siblings = f"; {kin} more have siblings there (another face or pose)" if kin else ""
        shown = f" ({ways})" if ways else ""
        return f"{self.name}: {found}{shown}{siblings}; marked in {self.path}"

    def shared(self) -> int:
        """Return how many files show a picture of the workspace; siblings are other pictures."""
        rows = to_frame(self.matches)
        return int(rows.loc[~rows["sibling"].astype(bool), "path"].nunique())

    def trained_on(self, workspace: Workspace) -> "TrainedOn":
        """Return which images training or validation has seen, or seen siblings of.

        Parameters
        ----------
        workspace : Workspace
            Split; the one that the set was held against.

        Returns
        -------
        TrainedOn
            The images by SHA-256.
        """
        rows = to_frame(self.matches)
        held = [workspace.read(name, ["sha256"])["sha256"].to_pylist() for name in TRAINED_ON]
        members = to_frame(workspace.read("duplicates", ["sha256", "cluster", "group"]))
        trained = members[members["sha256"].isin([name for split in held for name in split])]
        cluster = rows["matched"].map(members.set_index("sha256")["cluster"])
        seen = cluster.isin(trained["cluster"]) & ~rows["sibling"].astype(bool)
        pictures = set(rows.loc[seen, "sha256"])
        related = set(rows.loc[rows["group"].isin(trained["group"]), "sha256"])
        return TrainedOn(pictures, related - pictures)


@dataclass(frozen=True)
class TrainedOn:
    """Images of an external set that training or validation has to do with.

    Attributes
    ----------
    pictures
        SHA-256 of images whose picture is there.
    siblings
        SHA-256 of images of which only another picture of the group is there: another face or pose
        of one sitting, or another version of one stock asset.
    """

    pictures: set[str]
    siblings: set[str]

    def among(self, sha256: Iterable[str]) -> "TrainedOn":
        """Return what of this is among some images: a set may hold files that it does not count."""
        images = set(sha256)
        return TrainedOn(self.pictures & images, self.siblings & images)

    def warning(self) -> str | None:
        """Say how many pictures have siblings there; None if none has."""
        count = len(self.siblings)
        if not count:
            return None
        counted = (
            "1 picture of the test set has"
            if count == 1
            else f"{count} pictures of the test set have"
        )
        return (
            f"warning: {counted} siblings in train or validation (another face or pose of one "
            "sitting); they are measured on, with --exclude-shared too"
        )
