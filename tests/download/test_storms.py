"""Hosts that fail, lead to one another and are given up, in any order of events."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.download.storm import Storm, Weather
from webemo_curate.config import FetchConfig
from webemo_curate.download import schedule as scheduling
from webemo_curate.download.outcome import RETRIED
from webemo_curate.verdicts import FetchStatus

MAX_HOSTS = 4

moods = st.tuples(
    st.sampled_from([FetchStatus.OK, FetchStatus.NOT_FOUND, *sorted(RETRIED)]),
    st.sampled_from([None, None, 2.0, 86_400.0]),
)
"""What an answer says, and its `Retry-After`."""


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_every_url_ends_once_a_pass_in_any_storm(data: st.DataObject) -> None:
    draw, choose = data.draw, lambda *values: data.draw(st.sampled_from(values))
    hosts, urls = draw(st.integers(1, MAX_HOSTS)), draw(st.integers(1, 40))
    listed = st.sampled_from([f"http://h{n % hosts}.example/{n}" for n in range(urls)])
    some = st.dictionaries(listed, listed, max_size=10)
    web = Storm({}, choose(0.0, 0.01, 1.0), draw(some), errand=draw(some))
    web.moods = draw(st.lists(moods, min_size=1, max_size=12))
    config = FetchConfig(
        rate=choose(1.0, 20.0),
        concurrency=draw(st.integers(1, 4)),
        patience=choose(0.1, 5.0),
        retries=draw(st.integers(0, 3)),
    )
    death = st.tuples(st.sampled_from([0.0, 0.01, 0.5, 2.0]), st.integers(0, 2))
    weather = Weather(web, hosts, urls, config, choose(0.0, 0.1, 3.0))
    weather.deaths, weather.owners = draw(st.lists(death, max_size=3)), draw(st.integers(0, 3))
    weather.slots = draw(st.integers(1, 5))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(scheduling, "ENDED_AT_ONCE", draw(st.integers(1, 5)))
        weather.run()


FIRST, LAST = "http://h0.example/0", "http://h1.example/3"


@pytest.mark.parametrize("owners", [0, 1, 2])
def test_urls_that_need_a_request_at_each_others_host_wait_for_no_slot(owners: int) -> None:
    web = Storm({}, 0.01, errand={FIRST: LAST, LAST: FIRST, "http://h1.example/1": FIRST})
    Weather(web, owners=owners).run()


@pytest.mark.parametrize("first", [0.0, 0.01])
def test_a_turn_that_comes_as_its_asker_dies_is_given_back(first: float) -> None:
    web = Storm({}, 0.0, errand={FIRST: FIRST, LAST: FIRST})
    Weather(web, pause=3.0, deaths=[(first, 0), (0.01, 1)], owners=2).run()
