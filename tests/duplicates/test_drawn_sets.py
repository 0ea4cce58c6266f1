"""Pictures of little structure, and framed ones: none merged with another, their copies found."""

import numpy as np
import pytest

from benchmarks.drawn_sets import draw, levels_apart, measure, other_gradient


@pytest.mark.parametrize(("plain", "framed"), [(28, 0), (0, 12)])
def test_no_two_drawn_pictures_are_merged_and_their_copies_are(tmp_path, plain, framed):
    found = measure(tmp_path, draw(tmp_path, plain, framed))
    ours = found["curate dedup"]
    assert ours.false == []
    assert found["curate dedup, siblings"].false == []
    whole = {key: counts for key, counts in ours.found.items() if key[1] in {"copy", "smaller"}}
    assert whole
    assert all(hits == total for hits, total in whole.values())
    cut = {kind: counts for (kind, sort), counts in ours.found.items() if sort == "crop"}
    assert all(cut[kind][0] == cut[kind][1] for kind in {"night", "framed"} & cut.keys())
    assert all(hits >= total - 1 for kind, (hits, total) in cut.items() if kind == "horizon")


def test_a_crop_of_a_gradient_is_a_gradient_of_other_colors():
    for number in range(20):
        assert levels_apart(*other_gradient(np.random.default_rng(number))) <= 2
