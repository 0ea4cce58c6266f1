"""Several names as one value: what is written for them is read as them."""

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from webemo_curate.config.settings import CommaList, comma_list

LIST = TypeAdapter(CommaList)


@given(st.lists(st.text(max_size=8) | st.sampled_from(["a, b", "[1]", '["x"]', " ", ""])))
def test_names_are_read_as_they_were_written(names: list[str]) -> None:
    assert LIST.validate_python(comma_list(names)) == tuple(names)


def test_plain_names_stand_with_commas() -> None:
    assert comma_list(["joy", "anger"]) == "joy,anger"
    assert LIST.validate_python(" joy, anger,") == ("joy", "anger")
