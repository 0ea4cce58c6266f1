"""Measure the pairs of a collection, and keep all that was measured."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from webemo_curate.duplicates.clusters import Within
from webemo_curate.duplicates.hamming import pairs_of_each
from webemo_curate.duplicates.hash_keys import Indices
from webemo_curate.duplicates.links import LOOKING, Links
from webemo_curate.duplicates.local_words import Words
from webemo_curate.duplicates.looks import PictureLooks
from webemo_curate.duplicates.measured import MeasuredPairs, Method, joined
from webemo_curate.duplicates.meetings import Meeting, by_threads
from webemo_curate.duplicates.methods import (
    Prove,
    measured_by_features,
    measured_by_grays,
    measured_by_hash,
)
from webemo_curate.duplicates.stored_pairs import as_table


class Measuring:
    """Gives measured pairs to `links.link_looks`, and keeps them.

    Parameters
    ----------
    looks : PictureLooks
        Of all images.
    names : sequence of str
        Their SHA-256.
    words : sequence of ndarray of uint32
        Their local words.
    reach : int
        Bits by which hashes differ at most.
    prove : callable
        `compare.Prover.prove`.
    within : callable, optional
        Searches hashes as `hamming.pairs_of_each` does.
    meeting : callable, optional
        Meets keypoints as `meetings.by_threads` does.
    """

    def __init__(
        self,
        looks: PictureLooks,
        names: Sequence[str],
        words: Sequence[Words],
        reach: int,
        prove: Prove,
        within: Within = pairs_of_each,
        meeting: Meeting = by_threads,
    ) -> None:
        self._looks, self._names, self._words = looks, names, words
        self._reach, self._prove, self._within, self._meeting = reach, prove, within, meeting
        self._kept: dict[Method, MeasuredPairs] = {}

    def __call__(self, method: Method, rows: Indices) -> MeasuredPairs:
        """Measure the pairs of some rows that a method proposes."""
        looks = self._looks.take(rows)
        if method == Method.PHASH:
            measured = measured_by_hash(looks, self._reach, self._prove, within=self._within)
        elif method == Method.GRAYS:
            measured = measured_by_grays(looks, self._prove)
        else:
            words = [self._words[row] for row in rows.tolist()]
            measured = measured_by_features(looks, words, self._prove, meeting=self._meeting)
        self._kept[method] = measured.moved(rows)
        return self._kept[method]

    def table(self, links: Links) -> pa.Table:
        """Return all that was measured.

        A picture that was joined before local features were compared is proposed by them too, as
        what it was joined by showed: limits that do not join it earlier find it there.

        Parameters
        ----------
        links : Links
            What was joined while measuring.

        Returns
        -------
        pa.Table
            Rows of the pairs manifest.
        """
        whole, grays, features = (self._kept[method] for method in LOOKING)
        hidden = self._hidden(Method.PHASH, links), self._hidden(Method.GRAYS, links)
        features = joined([features, *hidden])
        parts = zip(LOOKING, (whole, grays, features), strict=True)
        return pa.concat_tables([as_table(part, method, self._names) for method, part in parts])

    def _hidden(self, method: Method, links: Links) -> MeasuredPairs:
        """Return the pairs by which a method joined pictures, upright and with keypoints."""
        measured = self._kept[method]
        has_words = np.array([len(words) > 0 for words in self._words], bool)
        first, second = measured.first, measured.second
        ours = (links.parent[second] == first) & links.by(method)[second]
        return measured.where(ours & has_words[first] & has_words[second] & ~measured.mirrored)
