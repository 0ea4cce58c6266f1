"""The words of stages about rows: statuses, verdicts, splits, and the names of targets."""

from collections.abc import Sequence
from enum import StrEnum


class FetchStatus(StrEnum):
    """How the download of a URL ended."""

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
"""How downloads end; rows of tables and folders end as a local file or a bad row besides."""

STORED = (FetchStatus.OK, FetchStatus.LOCAL)
"""Statuses of rows whose picture is in the workspace."""


class DecodeStatus(StrEnum):
    """Whether Pillow decoded an image to its last row."""

    OK = "ok"
    CORRUPT = "corrupt"
    TOO_LARGE = "too_large"
    MISSING = "missing"
    CRASHED = "crashed"
    INTERNAL_ERROR = "internal_error"


class QualityFlag(StrEnum):
    """What may be wrong with a picture; the first of those that make it leave is the reason."""

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
"""The verdict on the quality of a picture that stays, flagged or not."""


class TextVerdict(StrEnum):
    """What the text filter says of an image."""

    CLEAN = "clean"
    TEXT = "text"
    UNREADABLE = "unreadable"


class DuplicateVerdict(StrEnum):
    """What an image is within its duplicate cluster."""

    KEEPER = "keeper"
    EXACT = "exact_duplicate"
    NEAR = "near_duplicate"


class LabelVerdict(StrEnum):
    """Whether the labels of a duplicate cluster make a target."""

    KEPT = "kept"
    CONFLICT = "label_conflict"
    EXCLUDED = "label_excluded"
    UNLABELED = "unlabeled"
    DROPPED = "label_dropped"


class Split(StrEnum):
    """The three parts of the final set."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


def is_split(name: str) -> bool:
    """Tell whether a set is one of the three splits, and not one from outside."""
    return name in (*Split,)


OR = " or "
OTHERS = "others"
BINARY = 2
"""Classes of a binary target, which one probability tells apart."""


def binary_classes(positive: Sequence[str]) -> tuple[str, str]:
    """Return the names of targets 0 and 1 where some labels are held against all others."""
    return OTHERS, OR.join(positive)


def positive_names(classes: Sequence[str]) -> list[str]:
    """Return what `binary_classes` made the last class's name of."""
    return classes[-1].split(OR)


def is_binary(classes: Sequence[str]) -> bool:
    """Tell whether classes are what `binary_classes` returns: some labels against all others."""
    return len(classes) == BINARY and classes[0] == OTHERS


DEFAULT_CLASSES = binary_classes(["sadness"])
"""Of manifests and runs that name no classes: all were the paper's before they were recorded."""
