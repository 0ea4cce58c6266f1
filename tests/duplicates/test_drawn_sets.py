"""Pictures of little structure, and framed ones: none merged with another, their copies found."""

import pytest

from benchmarks.drawn_sets import draw, measure


@pytest.mark.parametrize(("plain", "framed"), [(28, 0), (0, 12)])
def test_no_two_drawn_pictures_are_merged_and_their_copies_are(tmp_path, plain, framed):
    found = measure(tmp_path, draw(tmp_path, plain, framed))
    ours = found["curate dedup"]
    assert ours.false == []
    assert found["curate dedup, siblings"].false == []
    whole = {key: counts for key, counts in ours.found.items() if key[1] in {"copy", "smaller"}}
    assert whole
    assert all(hits == total for hits, total in whole.values())
