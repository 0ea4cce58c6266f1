"""Taxonomies: those built in say what was published, one's own is checked, names are explained."""

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.e2e.conftest import curate
from webemo_curate.errors import InputError
from webemo_curate.taxonomies import BUILT_IN, WEBEMO, flat_taxonomy, load_taxonomy
from webemo_curate.taxonomies.loading import parse_taxonomy

OURS = load_taxonomy(WEBEMO)


def test_webemo_equals_the_published_file(shared_data: Path) -> None:
    text = (shared_data / "webemo" / "category.txt").read_text()
    published = ast.literal_eval(text[text.index("[") :])
    assert list(OURS.chains) == published


def test_built_in_ones_have_the_sizes_of_their_sources() -> None:
    sizes = {
        name: [len(taxonomy.classes(level)) for level in range(1, len(taxonomy.levels) + 1)]
        for name in BUILT_IN
        if (taxonomy := load_taxonomy(name))
    }
    assert sizes == {
        "ekman6": [6],
        "mikels8": [8, 2],
        "parrott6": [6],
        "plutchik24": [24, 8],
        "webemo": [25, 7, 2],
    }


@pytest.mark.parametrize(
    ("level", "expected"), [(1, "irritabilty"), (2, "anger"), (3, "-")], ids=str
)
def test_class_of_each_level(level: int, expected: str) -> None:
    assert OURS.class_of("irritabilty", level) == expected


SAD = {"disappointment", "neglect", "sadness", "shame", "suffering", "sympathy"}


def test_a_group_stands_for_all_its_labels() -> None:
    assert OURS.covered(["sadness"]) == SAD
    assert OURS.covered(["confusion", "zest"]) == {"confusion", "zest"}
    assert OURS.covered(["+"]) | OURS.covered(["-"]) == set(OURS.labels)


def test_the_level_decides_what_a_name_of_several_levels_means() -> None:
    assert OURS.covered(["sadness"], 2) == OURS.covered(["sadness"], 3) == SAD
    assert OURS.covered(["sadness"], 1) == {"sadness"}
    assert OURS.covered(["zest"], 2) == {"zest"}


def test_unknown_names_are_explained() -> None:
    with pytest.raises(InputError, match="did you mean 'sadness'"):
        OURS.covered(["sadnes"])
    with pytest.raises(InputError, match="did you mean 'cheerfullness'"):
        OURS.class_of("cheerfulness", 1)
    with pytest.raises(InputError, match=r"there are: \+, -, affection, anger"):
        OURS.covered(["xyzzy"])
    with pytest.raises(InputError, match=r"\.\.\. 940 more"):
        flat_taxonomy(map(str, range(1000))).covered(["x"])
    with pytest.raises(InputError, match=r"did you mean 'sad, lonely'\? It is given as '\[\"sad, "):
        flat_taxonomy(["sad, lonely", "calm"]).covered(["sad,lonely"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("labels: {a: b}\ngroups: {b: c, c: b}", r"own: groups stand above .* \(b -> c -> b\)"),
        ("labels: {a: x}\ngroups: {b: }", "own: 'a' stands below 'x', which is no group"),
        ("labels:\n  a: b\n  a: c\n", "own:3: 'a' stands twice"),
        ("labels: [a, b, a]", "own: 'a' stands twice in labels"),
        ("labels: {a: b, c: }\ngroups: {b: }", "own: 'c' has 0 groups above it and 'a' 1"),
        ("labels: [a]\ngroups: {b: }", "own: no label stands below 'b'"),
        ("labels: [yes, no]", "own: True in labels is no name; put it in quotes"),
        ("labels: ['a,b']", "without commas"),
        ("labels: []", "own: has no labels"),
        ("label: [a]", "own: unknown key 'label'; there are groups, labels, levels, title"),
        ("labels: {a: [b]}", r"own: \['b'\] in labels is no name"),
        ("- a", "own: must be a mapping"),
        ("labels: [a\n", r"own:2: "),
        ("labels: [&x a, *x]", "own:1: references"),
        ("levels: [one]\nlabels: {a: b}\ngroups: {b: }", "own: levels must name the 2 levels"),
        ("labels: {? [a] : b}", "own:1: a key must be a name"),
    ],
)
def test_a_faulty_file_is_refused_with_a_remedy(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_taxonomy(text, "own")


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    said = ""
    try:
        parse_taxonomy(text, "own")
    except InputError as error:
        said = str(error)
    assert said == "" or said.startswith("own")


def test_a_file_of_ones_own_and_one_that_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "moods.yaml"
    file.write_text("labels: {happy: good, sad: bad}\ngroups: {good: , bad: }\n")
    assert load_taxonomy(str(file)).class_of("sad", 2) == "bad"
    with pytest.raises(InputError, match=r"absent\.yaml: cannot be read"):
        load_taxonomy(str(tmp_path / "absent.yaml"))
    with pytest.raises(InputError, match="--taxonomy webmo: there are ekman6, mikels8"):
        load_taxonomy("webmo")


def test_the_command_shows_one_and_which_there_are() -> None:
    shown = curate("taxonomy", "show", "mikels8", "--json")
    assert "levels: 8 emotion, 2 valence" in shown
    assert "negative\n  anger\n" in shown
    assert json.loads(shown.splitlines()[-1])["chains"][0] == ["amusement", "positive"]
    assert all(name in curate("taxonomy", "show") for name in BUILT_IN)
