"""A manifest's outcomes are those of its settings: what others may have decided is asked again."""

from dataclasses import replace
from pathlib import Path

import pytest

from webemo_curate.download.decided import SETTINGS, stands_under
from webemo_curate.download.journal import Entry, Journal
from webemo_curate.download.outcome import FetchOutcome
from webemo_curate.storage.folder import FolderStore
from webemo_curate.verdicts import FetchStatus

NOW = {
    "ignore_robots": False,
    "allow_private": False,
    "max_redirects": 5,
    "max_bytes": 1000,
    "max_pixels": 1000,
}
STORED = FetchOutcome(
    "u", FetchStatus.OK, 200, bytes=500, final_url="u", sha256="a" * 64, suffix=".jpg"
)
LED = replace(STORED, final_url="elsewhere")
ROBOTS = FetchOutcome("u", FetchStatus.ROBOTS)
GONE = FetchOutcome("u", FetchStatus.GONE, 410, final_url="u")
LARGE = FetchOutcome("u", FetchStatus.TOO_LARGE, 200)


@pytest.mark.parametrize("outcome", [STORED, LED, ROBOTS, GONE, LARGE])
def test_under_the_same_settings_all_stand(outcome: FetchOutcome) -> None:
    assert stands_under(outcome, NOW, NOW)
    for name in SETTINGS:
        unknown = {key: value for key, value in NOW.items() if key != name}
        assert not stands_under(outcome, unknown, NOW)
        assert not stands_under(outcome, NOW | {name: "odd"}, NOW)


@pytest.mark.parametrize(
    ("before", "standing", "falling"),
    [
        ({"ignore_robots": True}, [], [STORED, GONE]),
        ({"allow_private": True}, [STORED, GONE], [LED]),
        ({"max_redirects": 9}, [STORED, GONE], [LED]),
        ({"max_redirects": 1}, [STORED, GONE], [ROBOTS, LARGE]),
        ({"max_bytes": 2000}, [STORED, GONE], [replace(STORED, bytes=1500)]),
        ({"max_bytes": 10}, [STORED, GONE], [LARGE]),
        ({"max_pixels": 2000}, [GONE], [STORED]),
        ({"max_pixels": 10}, [STORED, GONE], [LARGE]),
    ],
)
def test_what_another_setting_may_have_decided_is_asked_again(
    before: dict[str, int], standing: list[FetchOutcome], falling: list[FetchOutcome]
) -> None:
    assert all(stands_under(outcome, NOW | before, NOW) for outcome in standing)
    assert not any(stands_under(outcome, NOW | before, NOW) for outcome in falling)


def test_what_robots_refused_is_asked_for_once_they_are_ignored() -> None:
    assert not stands_under(ROBOTS, NOW, NOW | {"ignore_robots": True})
    assert stands_under(STORED, NOW, NOW | {"ignore_robots": True})


def test_a_journal_says_by_which_settings_each_outcome_was_found(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    for number in (1, 2):
        with Journal(store, "j", {"max_bytes": number}) as journal:
            journal.add(Entry(replace(GONE, url=str(number)), 1))
    entries = Journal(store, "j").read()
    assert {entry.outcome.url: entry.decided_by["max_bytes"] for entry in entries} == {
        "1": 1,
        "2": 2,
    }
