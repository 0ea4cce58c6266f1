"""The values of stages' columns: statuses, verdicts, splits, and names of targets."""

from collections.abc import Sequence
from enum import StrEnum

from webemo_curate.quoting import is_text


class FetchStatus(StrEnum):
    """The result of downloading a URL."""

    OK = "ok"
    NOT_FOUND = "not_found"
    GONE = "gone"
    FORBIDDEN = "forbidden"
    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    TRUNCATED = "truncated"
    NOT_IMAGE = "not_image"
    CORRUPT = "corrupt"
    TOO_LARGE = "too_large"
    PLACEHOLDER = "placeholder"
    ROBOTS = "robots"
    BAD_URL = "bad_url"
    INTERNAL_ERROR = "internal_error"
    LOCAL = "local"
    BAD_ROW = "bad_row"


DOWNLOAD_STATUSES = tuple(
    status for status in FetchStatus if status not in (FetchStatus.LOCAL, FetchStatus.BAD_ROW)
)
"""Results of downloads; rows of tables and folders may also end as a local file or a bad row."""

STORED = (FetchStatus.OK, FetchStatus.LOCAL)
"""Statuses of rows whose picture is in the workspace."""


class DecodeStatus(StrEnum):
    """Whether an image can be decoded to its last row."""

    OK = "ok"
    CORRUPT = "corrupt"
    TOO_LARGE = "too_large"
    MISSING = "missing"
    CRASHED = "crashed"
    INTERNAL_ERROR = "internal_error"


class QualityFlag(StrEnum):
    """Possible flaws of a picture; the first flag that drops it is the reason."""

    DARK = "dark"
    LIGHT = "light"
    BLURRY = "blurry"
    LOW_INFORMATION = "low_information"
    GRAYSCALE = "grayscale"
    COLORLESS = "colorless"
    ODD_ASPECT_RATIO = "odd_aspect_ratio"
    ODD_SIZE = "odd_size"
    BLANK_BORDERS = "blank_borders"
    BLOCKY = "blocky"


GOOD_ENOUGH = "good_enough"
"""The verdict of a picture that is not dropped for its quality, flagged or not."""


class TextVerdict(StrEnum):
    """The text filter's verdict on an image."""

    CLEAN = "clean"
    TEXT = "text"
    UNREADABLE = "unreadable"


class DuplicateVerdict(StrEnum):
    """An image's role in its duplicate cluster."""

    KEEPER = "keeper"
    EXACT = "exact_duplicate"
    NEAR = "near_duplicate"


class LabelVerdict(StrEnum):
    """Whether the labels of a duplicate cluster give it a target."""

    KEPT = "kept"
    CONFLICT = "label_conflict"
    EXCLUDED = "label_excluded"
    UNLABELED = "unlabeled"
    DROPPED = "label_dropped"


class Split(StrEnum):
    """The three splits of the final set."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


def is_split(name: str) -> bool:
    """Return whether a set is one of the three splits, rather than an external one."""
    return name in (*Split,)


OR = " or "
OTHERS = "others"
BINARY = 2
"""Number of classes of a binary target, for which one probability is enough."""

MOST_CLASSES = 128
"""As many as targets, which are int8, can tell apart."""


def binary_classes(positive: Sequence[str]) -> tuple[str, str]:
    """Return the names of targets 0 and 1, for some labels against all others."""
    return OTHERS, OR.join(positive)


def positive_names(classes: Sequence[str]) -> list[str]:
    """Return the names from which `binary_classes` made the last class's name."""
    return classes[-1].split(OR)


def is_binary(classes: Sequence[str]) -> bool:
    """Return whether classes are those of `binary_classes`: some labels against all others."""
    return len(classes) == BINARY and classes[0] == OTHERS


def are_classes(names: object) -> bool:
    """Return whether names that anyone may have written can be those of targets 0, 1, ..."""
    return (
        isinstance(names, list | tuple)
        and BINARY <= len(names) <= MOST_CLASSES
        and all(isinstance(name, str) and is_text(name) for name in names)
    )


DEFAULT_CLASSES = binary_classes(["sadness"])
"""Classes of manifests and runs that name none: before names were recorded, all were the
paper's."""
