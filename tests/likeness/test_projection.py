"""Places on the map: within the square, near for vectors alike, the same every time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webemo_curate.errors import InputError
from webemo_curate.likeness import projection
from webemo_curate.optional_packages import require_package


def clusters(rng: np.random.Generator, groups: int, each: int) -> tuple[np.ndarray, np.ndarray]:
    of = np.repeat(np.arange(groups), each)
    centers = rng.normal(size=(groups, 20))
    vectors = centers[of] + 0.15 * rng.normal(size=(len(of), 20))
    return vectors.astype(np.float32), of


def test_vectors_alike_lie_near_each_other_and_always_there() -> None:
    vectors, of = clusters(np.random.default_rng(3), 5, 30)
    places = projection.lay_out([vectors[:70], vectors[70:]])
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1)[:, :10]
    assert np.mean(of[nearest] == of[:, None]) > 0.95
    assert projection.lay_out([vectors]).tobytes() == places.tobytes()


@settings(max_examples=15, deadline=None)
@given(count=st.integers(1, 14), width=st.integers(1, 6), same=st.booleans())
def test_few_or_equal_pictures_have_places_too(count: int, width: int, *, same: bool) -> None:
    rng = np.random.default_rng(count)
    vectors = np.ones((count, width)) if same else rng.normal(size=(count, width))
    places = projection.lay_out([vectors.astype(np.float32)])
    assert places.shape == (count, 2)
    assert places.dtype == np.float32
    assert np.isfinite(places).all()
    assert places.min() >= 0
    assert places.max() <= 1


def test_no_pictures_have_no_places() -> None:
    assert projection.lay_out([]).shape == (0, 2)


def test_without_the_package_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webemo_curate.optional_packages.find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install openTSNE"):
        require_package("openTSNE")
