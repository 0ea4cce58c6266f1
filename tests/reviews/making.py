"""Reviews for tests, and strategies that draw them."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from webemo_curate.reviews.review import Review

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
ANNA, BEN = "anna", "ben"


def sha(number: int) -> str:
    """Return a hash that sorts by its number."""
    return f"{number:064x}"


def review(
    decision: str,
    picture: int = 1,
    other: int | None = None,
    *,
    kind: str = "text",
    reviewer: str = ANNA,
    seconds: float = 0,
) -> Review:
    """Return a review of numbered pictures, some seconds after the start."""
    second = None if other is None else sha(other)
    time = START + timedelta(seconds=seconds)
    return Review(kind, sha(picture), second, decision, reviewer, time)


def reviews(decisions: tuple[str, ...] = ("keep", "drop", "undo")) -> st.SearchStrategy[Review]:
    """Draw text reviews of few pictures by few people, so that they meet."""
    return st.builds(
        review,
        st.sampled_from(decisions),
        st.integers(1, 3),
        reviewer=st.sampled_from([ANNA, BEN]),
        seconds=st.integers(0, 10),
    )
