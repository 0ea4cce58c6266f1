"""Words are looked up by hash, in the order asked for."""

import numpy as np
import pyarrow as pa

from webemo_curate.duplicates.local_words import TABLES, words_by_hash
from webemo_curate.schemas import FEATURES

WORDS = {"a": list(range(2 * TABLES)), "b": [], "c": [2**28 - 1] * TABLES}


def table(names):
    columns = [pa.array(names), pa.array([WORDS[name] for name in names], pa.list_(pa.uint32()))]
    return pa.Table.from_arrays(columns, schema=FEATURES)


def test_words_come_in_the_order_asked_for_and_unknown_pictures_have_none():
    features = pa.concat_tables([table(["c"]), table(["a", "b"])])
    found = words_by_hash(["a", "nowhere", "b", "c", "a"], features)
    assert [words.ravel().tolist() for words in found] == [
        *(WORDS["a"], [], [], WORDS["c"], WORDS["a"])
    ]
    assert {(words.dtype, words.shape[1]) for words in found} == {(np.dtype(np.uint32), TABLES)}


def test_nothing_asked_for_or_nothing_there():
    assert words_by_hash([], table(["a"])) == []
    (words,) = words_by_hash(["a"], table([]))
    assert words.shape == (0, TABLES)
