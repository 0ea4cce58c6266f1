"""What people decided is honored by the stages, and nothing else changes."""

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stages.tables import listing, manifest, sha
from tests.stages.test_dedup import DEDUP, LOOK, MASK, deduplicated, tables
from tests.stages.test_text import box, ocr
from webemo_curate.config import BinarizeConfig, DecodingConfig, FilterTextConfig
from webemo_curate.duplicates.parting import Parting
from webemo_curate.reviews.decided_reviews import DECIDED
from webemo_curate.stages.binarize import BinarizeStage
from webemo_curate.stages.dedup import DedupStage
from webemo_curate.stages.pairs import PairsStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.stages.text import TextStage

Said = tuple[str, str | None, str]


def decided(*rows: Said) -> pa.Table:
    return pa.table(dict(zip(DECIDED.names, zip(*rows, strict=True), strict=True)), schema=DECIDED)


def judged(context: StageContext, found: pa.Table, *said: Said) -> dict[str, dict[str, object]]:
    given_tables = {"ocr": found} | ({"reviews": decided(*said)} if said else {})
    text = TextStage(FilterTextConfig().rule).run(given_tables, context)["text"]
    return {row["sha256"]: row for row in text.to_pylist()}


def test_a_person_overrules_the_text_rule_and_the_rules_word_stays(
    context: StageContext, caplog: pytest.LogCaptureFixture
) -> None:
    found = ocr(worded=[box("SALE", 0.9)], clean=[], other=[box("SALE", 0.9)], broken=None)
    plain = judged(context, found)
    assert {row["by"] for row in plain.values()} == {None}
    said = judged(
        context,
        found,
        ("worded", None, "keep"),
        ("clean", None, "drop"),
        ("broken", None, "keep"),
        ("gone", None, "keep"),
    )
    assert {name: row["verdict"] for name, row in said.items()} == {
        "worded": "clean",
        "clean": "text",
        "other": "text",
        "broken": "clean",
    }
    assert {name: row["by"] for name, row in said.items()} == {
        "worded": "review",
        "clean": "review",
        "other": "rule",
        "broken": "review",
    }
    assert {n: r["ruled"] for n, r in said.items() if r["ruled"]} == {
        "worded": "text",
        "clean": "clean",
        "broken": "unreadable",
    }
    assert all(said[name]["score"] == row["score"] for name, row in plain.items())
    assert "text: 1 of 4 reviews changed nothing" in caplog.text
    assert "curate review --list" in caplog.text


def near(values: list[int]) -> dict[str, pa.Table]:
    """Return the inputs of pairs and dedup; images are as near as the bits of their values."""
    rows = [
        {
            "sha256": sha(number),
            "pixel_hash": sha(f"pixels {value}"),
            "phash": value,
            "phash_mirrored": value ^ MASK,
            **LOOK,
        }
        for number, value in enumerate(values)
    ]
    return tables([0], [0]) | {
        "images": manifest("images", rows),
        "text": manifest("text", [{"sha256": row["sha256"]} for row in rows]),
    }


ROWS = 12
pairs = st.lists(
    st.tuples(st.integers(0, ROWS - 1), st.integers(0, ROWS - 1)).filter(lambda p: p[0] != p[1]),
    max_size=6,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.integers(0, 255), min_size=ROWS, max_size=ROWS), same=pairs, different=pairs
)
def test_pairs_of_a_person_stay_together_or_apart(
    context: StageContext,
    values: list[int],
    same: list[tuple[int, int]],
    different: list[tuple[int, int]],
) -> None:
    given_tables = near(values)
    plain = deduplicated(given_tables, context)
    cases = {tuple(sorted((sha(a), sha(b)))): "same" for a, b in same}
    cases |= {tuple(sorted((sha(a), sha(b)))): "different" for a, b in different}
    if not cases:
        return
    reviews = decided(*((a, b, cases[a, b]) for a, b in sorted(cases)))
    pairs_stage = PairsStage(DEDUP.matching, DecodingConfig())
    measured = given_tables | pairs_stage.run(given_tables, context)
    rows = DedupStage(DEDUP).run(measured | {"reviews": reviews}, context)["duplicates"]
    again = DedupStage(DEDUP).run(measured, context)["duplicates"]
    assert again == plain

    found = {row["sha256"]: row for row in rows.to_pylist()}
    apart = [pair for pair, said in cases.items() if said == "different"]
    for one, two in apart:
        assert found[one]["cluster"] != found[two]["cluster"]
    number = {sha(place): place for place in range(ROWS)}
    sides = [
        [(number[a], number[b]) for (a, b), said in sorted(cases.items()) if said == word]
        for word in ("same", "different")
    ]
    honored = Parting(*sides).same
    for a, b in honored:
        assert found[sha(a)]["cluster"] == found[sha(b)]["cluster"]
    clusters = {row["cluster"] for row in found.values()}
    assert clusters == {name for name, row in found.items() if row["keeper"]}
    for row in found.values():
        assert (row["method"] == "review") == (row["distance"] is None)
        assert row["group"] == found[row["cluster"]]["group"]
    if cases:
        assert {row["by"] for row in found.values()} <= {"rule", "review", None}


def test_what_a_third_picture_joins_is_parted_and_not_split(context: StageContext) -> None:
    # All three are near one another; the first is the keeper of both others.
    given_tables = near([0, 1, 2])
    plain = deduplicated(given_tables, context).to_pylist()
    assert len({row["cluster"] for row in plain}) == 1
    (keeper,) = {row["cluster"] for row in plain}
    one, two = sorted({row["sha256"] for row in plain} - {keeper})
    said = given_tables | {"reviews": decided((one, two, "different"))}
    rows = {row["sha256"]: row for row in deduplicated(said, context).to_pylist()}
    assert rows[one]["cluster"] != rows[two]["cluster"]
    assert sum(row["keeper"] for row in rows.values()) == 2
    parted = next(row for row in rows.values() if row["keeper"] and row["sha256"] != keeper)
    assert parted["by"] == "review"
    assert len({row["group"] for row in rows.values()}) == 1  # no split may part what looks alike


def test_the_same_joins_strangers_under_the_better_keeper(context: StageContext) -> None:
    given_tables = near([0, 0xFF])
    one, two = sorted([sha(0), sha(1)])
    plain = {row["sha256"]: row for row in deduplicated(given_tables, context).to_pylist()}
    assert plain[one]["cluster"] != plain[two]["cluster"]
    rows = deduplicated(given_tables | {"reviews": decided((one, two, "same"))}, context)
    (left,) = [row for row in rows.to_pylist() if not row["keeper"]]
    assert (left["method"], left["by"], left["verdict"]) == ("review", "review", "near_duplicate")
    assert left["distance"] is None


@given(same=pairs, different=pairs)
def test_what_is_held_apart_counts_more_than_what_would_join_it(
    same: list[tuple[int, int]], different: list[tuple[int, int]]
) -> None:
    parting = Parting(same, different)
    for one, two in different:
        assert not parting.may_join(one, two)
    assert sorted(parting.same + parting.refused) == sorted(same)
    for (one, two), (three, four) in pairwise(parting.same):
        assert parting.may_join(one, two)
        assert parting.may_join(three, four)


def labeled(
    context: StageContext, *said: Said, config: BinarizeConfig | None = None
) -> dict[str, dict[str, object]]:
    """Settle four pictures: sad, joyful, under both labels, and a copy of the last."""
    names = [sha(n) for n in range(4)]
    labels = [["sadness"], ["zest"], ["sadness", "zest"], ["zest"]]
    homes = [*names[:3], names[2]]
    given_tables = {
        "listing": listing(
            {"url": f"http://x/{n}", "label": label} for n in range(4) for label in labels[n]
        ),
        "fetch": manifest(
            "fetch", [{"url": f"http://x/{n}", "sha256": names[n]} for n in range(4)]
        ),
        "duplicates": manifest(
            "duplicates",
            [
                {"sha256": name, "cluster": home, "matched": home, "group": home}
                for name, home in zip(names, homes, strict=True)
            ],
        ),
    }
    if said:
        given_tables["reviews"] = decided(*said)
    table = BinarizeStage(config or BinarizeConfig()).run(given_tables, context)["labels"]
    return {row["cluster"]: row for row in table.to_pylist()}


def test_a_chosen_label_settles_a_picture_or_a_conflict(
    context: StageContext, caplog: pytest.LogCaptureFixture
) -> None:
    plain = labeled(context)
    assert {row["by"] for row in plain.values()} == {None}
    rows = labeled(
        context,
        (sha(0), None, "drop"),
        (sha(3), None, "sadness"),  # of a copy: it settles its cluster
        (sha(1), None, "hunger"),  # no listed label
        (sha(9), None, "zest"),
    )
    assert [rows[sha(n)]["verdict"] for n in range(3)] == ["label_dropped", "kept", "kept"]
    assert [rows[sha(n)]["target"] for n in range(3)] == [None, 0, 1]
    assert [rows[sha(n)]["label"] for n in range(3)] == ["sadness", "zest", "sadness"]
    assert [rows[sha(n)]["by"] for n in range(3)] == ["review", "rule", "review"]
    assert [rows[sha(n)]["ruled"] for n in range(3)] == ["kept", None, "label_conflict"]
    assert rows[sha(0)]["ruled_label"] == plain[sha(0)]["label"] == "sadness"
    assert rows[sha(1)]["ruled_label"] is None
    assert {row["ruled"] for row in plain.values()} == {None}
    assert plain[sha(2)]["verdict"] == "label_conflict"
    assert rows[sha(2)]["conflict"] is True
    assert "binarize: 2 of 4 reviews changed nothing" in caplog.text


def test_the_keepers_label_counts_before_its_copies(context: StageContext) -> None:
    rows = labeled(context, (sha(2), None, "zest"), (sha(3), None, "sadness"))
    assert rows[sha(2)]["label"] == "zest"


def test_the_rules_own_label_stays_beside_the_chosen_one(context: StageContext) -> None:
    config = BinarizeConfig(conflicts="positive")
    (plain,) = (labeled(context, config=config)[sha(2)],)
    assert (plain["label"], plain["target"]) == ("sadness", 1)
    row = labeled(context, (sha(2), None, "zest"), config=config)[sha(2)]
    assert (row["label"], row["target"], row["by"]) == ("zest", 0, "review")
    assert (row["ruled_label"], row["ruled"]) == ("sadness", "kept")


def test_a_chosen_label_that_is_left_out_leaves(context: StageContext) -> None:
    config = BinarizeConfig(exclude=("zest",))
    rows = labeled(context, (sha(0), None, "zest"), config=config)
    assert (rows[sha(0)]["verdict"], rows[sha(0)]["by"]) == ("label_excluded", "review")
    assert rows[sha(0)]["target"] is None
