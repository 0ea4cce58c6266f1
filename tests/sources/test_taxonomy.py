"""The taxonomy equals the published one, and unknown names get a useful answer."""

import ast

import pytest

from webemo_curate.errors import InputError
from webemo_curate.sources.taxonomy import (
    LABELS,
    check_class,
    class_of,
    classes,
    excluded_labels,
)


def test_labels_equal_the_published_file(shared_data):
    text = (shared_data / "webemo" / "category.txt").read_text()
    published = ast.literal_eval(text[text.index("[") :])

    assert [tuple(label) for label in LABELS] == published


def test_index_is_alphabetical():
    names = [label.name for label in LABELS]

    assert names == sorted(names)
    assert names.index("affection") == 0
    assert names.index("zest") == 24


@pytest.mark.parametrize(
    ("level", "expected"), [(1, "irritabilty"), (2, "anger"), (3, "-")], ids=str
)
def test_class_of_each_level(level, expected):
    assert class_of("irritabilty", level) == expected


def test_number_of_classes():
    assert [len(classes(level)) for level in (1, 2, 3)] == [25, 7, 2]


def test_emotion_stands_for_all_its_labels():
    assert excluded_labels(["sadness"]) == {
        "disappointment",
        "neglect",
        "sadness",
        "shame",
        "suffering",
        "sympathy",
    }
    assert excluded_labels(["confusion", "zest"]) == {"confusion", "zest"}


def test_unknown_names_are_explained():
    with pytest.raises(InputError, match="did you mean 'sadness'"):
        check_class("sadnes", 2)
    with pytest.raises(InputError, match="--level 1"):
        check_class("zest", 2)
    with pytest.raises(InputError, match="did you mean 'cheerfullness'"):
        class_of("cheerfulness", 1)
    with pytest.raises(InputError, match="there are: anger"):
        check_class("xyzzy", 2)
    with pytest.raises(InputError, match="did you mean 'surprise'"):
        excluded_labels(["suprise"])
