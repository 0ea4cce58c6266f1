"""One collection ends in the same splits, whatever the form in which it is given."""

import http.server
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sources.collections import Collection, splits, told_of
from webemo_curate.config import BinarizeConfig, ListingConfig
from webemo_curate.taxonomies import WEBEMO, load_taxonomy

TAXONOMY = load_taxonomy(WEBEMO)
SADNESS = BinarizeConfig(positive=("sadness",))

FORMS: dict[str, Callable[[Collection], Path]] = {
    "csv": Collection.as_csv,
    "jsonl": Collection.as_jsonl,
    "parquet": Collection.as_parquet,
    "hugging face": Collection.as_hugging_face,
    "folders": Collection.as_folders,
}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder on loopback."""
    folder = tmp_path_factory.mktemp("served")
    handler = partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


labels = st.lists(st.sampled_from(TAXONOMY.labels), min_size=10, max_size=20)


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(labels=labels)
@pytest.mark.slow
def test_all_forms_end_in_the_same_splits(
    labels: list[str], served: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    labels = [*labels, *["sadness"] * 8, *["zest"] * 8]
    folder = tmp_path_factory.mktemp("forms")
    collection = Collection.draw(folder, labels)
    told = {}
    for name, form in FORMS.items():
        config = ListingConfig(source=[form(collection)], taxonomy=WEBEMO)
        told[name] = told_of(splits(folder / f"ws {name}", config, SADNESS))
    served_folder, mirror = served
    for file in collection.flat.iterdir():
        (served_folder / file.name).write_bytes(file.read_bytes())
    for names in (False, True):
        config = ListingConfig(lists=[collection.as_lists(names=names, taxonomy=TAXONOMY)])
        web = {"mirror": mirror, "ignore_robots": True, "rate": 1000.0}
        told[f"lists {names}"] = told_of(splits(folder / f"ws {names}", config, SADNESS, **web))
    first = told.pop("csv")
    assert sum(map(len, first.values())) >= 16
    assert all(other == first for other in told.values()), told.keys()
