"""Looking for released images: URL after URL, until one serves what was released."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from webemo_curate.config import PipelineConfig
from webemo_curate.listing_keys import file_of
from webemo_curate.releases.changed_pictures import LookWorker, look_at
from webemo_curate.releases.outcomes import Likeness, Outcome, compare
from webemo_curate.releases.own_pictures import OwnPictures, kept_pictures, missing_row
from webemo_curate.releases.reading_back import Release
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.fetch import FetchStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.verdicts import STORED
from webemo_curate.workspace import Workspace, image_path

Row = dict[str, Any]

FINGERPRINT = "rebuild"
"""Names what is run in the scratch; the fetch stage knows what it has by its journal."""


@dataclass(frozen=True)
class Recovered:
    """What became of one released image.

    Attributes
    ----------
    outcome
        The best that one of its URLs gave.
    answer
        The fetch row of that URL.
    likeness
        How what it served stands to what was released; None if it served nothing.
    """

    outcome: Outcome
    answer: Row
    likeness: Likeness | None = None

    @property
    def path(self) -> str | None:
        """Where the picture that was found lies; None if there is none."""
        if self.outcome is Outcome.DEAD:
            return None
        return image_path(self.answer["sha256"], self.answer["suffix"])


class Finder:
    """Fetches what a release names and compares it.

    Parameters
    ----------
    release : Release
        What is looked for.
    config : PipelineConfig
        How politely, and what counts as near.
    scratch : Workspace
        Keeps what is fetched, and the journal by which a killed run goes on.
    pictures : OwnPictures, optional
        What the user has already.
    rebuilt : Workspace, optional
        What was rebuilt before: local files that were taken then are not asked for again.
    """

    def __init__(
        self,
        release: Release,
        config: PipelineConfig,
        scratch: Workspace,
        pictures: OwnPictures | None = None,
        rebuilt: Workspace | None = None,
    ) -> None:
        self._release, self._config, self._scratch = release, config, scratch
        self._pictures, self._rebuilt = pictures, rebuilt
        rows = release.images.select(["sha256", "url", "urls", "pixel_hash", "phash"]).to_pylist()
        self._rows = {row["sha256"]: row for row in rows}
        self.findings: dict[str, Recovered] = {}
        self._found = dict(release.looks)
        self._worker = LookWorker(config.decoding.max_pixels)

    def find(self) -> dict[str, Recovered]:
        """Look for every image: where the user has it, under its URL, its others, its copies'.

        Returns
        -------
        dict of str to Recovered
            By the hash that was released.
        """
        self._look_among_own()
        self._ask({sha256: [self._rows[sha256]["url"]] for sha256 in self._open_or_new()})
        self._ask({sha256: self._other_urls(sha256) for sha256 in self._open(Outcome.SAME_PIXELS)})
        copies = self._release.copies
        self._ask({sha256: [*copies.get(sha256, ())] for sha256 in self._open(Outcome.SUBSTITUTE)})
        return self.findings

    def _look_among_own(self) -> None:
        """Take what the user has; a local file that is not among it counts as not found."""
        released = {sha256: row["url"] for sha256, row in self._rows.items()}
        answers = self._pictures.find(released) if self._pictures else {}
        if self._rebuilt is not None:
            taken = {sha256 for sha256, answer in answers.items() if answer["sha256"] == sha256}
            missed = {sha256: url for sha256, url in released.items() if sha256 not in taken}
            bound = self._config.decoding
            answers |= kept_pictures(self._rebuilt, bound, self._scratch, missed)
        answers |= {
            sha256: missing_row(url)
            for sha256, url in released.items()
            if sha256 not in answers and file_of(url) is not None
        }
        self._describe(row for sha256, row in answers.items() if row["sha256"] != sha256)
        for sha256, answer in answers.items():
            self._take(sha256, answer)

    def _open_or_new(self) -> Iterator[str]:
        """Yield images that were not found byte by byte."""
        for sha256 in self._rows:
            finding = self.findings.get(sha256)
            if finding is None or finding.outcome is not Outcome.IDENTICAL:
                yield sha256

    def _other_urls(self, sha256: str) -> list[str]:
        row = self._rows[sha256]
        return [url for url in row["urls"] if url != row["url"]]

    def _open(self, at_least: Outcome) -> Iterator[str]:
        """Yield images of which something as good or better may still be found."""
        for sha256, finding in self.findings.items():
            if finding.outcome.rank >= at_least.rank:
                yield sha256

    def _ask(self, wanted: dict[str, list[str]]) -> None:
        # What stands for a local file is no URL to ask for.
        wanted = {
            sha256: [url for url in given if file_of(url) is None]
            for sha256, given in wanted.items()
        }
        urls = list(dict.fromkeys(url for given in wanted.values() for url in given))
        if not urls:
            return
        answers = self._fetch(urls)
        as_released = {(url, sha256) for sha256, given in wanted.items() for url in given}
        self._describe(
            row for row in answers.values() if (row["url"], row["sha256"]) not in as_released
        )
        for sha256, given in wanted.items():
            for url in given:
                self._take(sha256, answers[url])

    def _take(self, sha256: str, answer: Row) -> None:
        """Keep an answer if it is better than what was found before."""
        found = self._judge(sha256, answer)
        earlier = self.findings.get(sha256)
        if earlier is None or found.outcome.rank < earlier.outcome.rank:
            self.findings[sha256] = found

    def _judge(self, sha256: str, answer: Row) -> Recovered:
        if answer["sha256"] == sha256:
            return Recovered(Outcome.IDENTICAL, answer, Likeness(Outcome.IDENTICAL))
        if answer["status"] not in STORED:
            return Recovered(Outcome.DEAD, answer)
        found, distance = self._found[answer["sha256"]], self._config.rebuild.distance
        likeness = compare(found, self._rows[sha256], distance)
        copy = self._release.copies.get(sha256, {}).get(answer["url"])
        if copy == answer["sha256"] and likeness.outcome is not Outcome.SAME_PIXELS:
            likeness = replace(likeness, outcome=Outcome.SUBSTITUTE)
        return Recovered(likeness.outcome, answer, likeness)

    def _fetch(self, urls: list[str]) -> dict[str, Row]:
        """Fetch URLs with the stage that curated them: as politely, and resumed after a kill."""
        asked = {"limit": None, "retry_status": (), "repair": False}
        config = self._config.fetch.model_copy(update=asked)
        stage = FetchStage(config, self._config.decoding, worker=self._worker)
        with closing(LocalRunner(self._config.workers)) as runner:
            context = StageContext(self._scratch, runner, FINGERPRINT)
            (table,) = stage.run({"listing": pa.table({"url": urls})}, context).values()
        return {row["url"]: row for row in table.to_pylist()}

    def _describe(self, answers: Iterable[Row]) -> None:
        """Decode and hash what is not as released."""
        new = {
            row["sha256"]: image_path(row["sha256"], row["suffix"])
            for row in answers
            if row["status"] in STORED and row["sha256"] not in self._found
        }
        if new:
            self._found |= look_at(new, self._scratch, self._worker, self._config.workers)
