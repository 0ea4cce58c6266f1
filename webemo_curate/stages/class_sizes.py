"""Compute how many images of each class a sample keeps, from the shares wanted."""

import math
import shlex
from collections.abc import Mapping
from fractions import Fraction

from webemo_curate.config import UndersampleConfig
from webemo_curate.config.label_config import LISTED
from webemo_curate.config.settings import comma_list
from webemo_curate.errors import InputError
from webemo_curate.remedies import typed

Share = float | Fraction


def wanted_shares(
    config: UndersampleConfig, counts: Mapping[str, int], *, binary: bool
) -> dict[str, Share]:
    """Return the wanted share of each class; the shares sum to 1.

    Parameters
    ----------
    config : UndersampleConfig
        Its parts; without parts, the positive fraction for a binary target, else equal shares.
    counts : mapping of str to int
        Number of images by class, in the order of the class numbers.
    binary : bool
        Whether the target is binary.

    Returns
    -------
    dict of str to (float or Fraction)
        In the order of `counts`.

    Raises
    ------
    InputError
        If the given parts name other classes.
    """
    if config.shares == (LISTED,):
        parts = {name: Fraction(count) for name, count in counts.items()}
    elif config.shares:
        parts = _in_order(config.parts, counts)
    elif binary:
        others, positive = counts
        return {others: 1 - config.positive_fraction, positive: config.positive_fraction}
    else:
        parts = {name: Fraction(1) for name in counts}
    whole = sum(parts.values()) or Fraction(1)
    return {name: part / whole for name, part in parts.items()}


def _in_order(parts: Mapping[str, Fraction], names: Mapping[str, int]) -> dict[str, Fraction]:
    if odd := sorted(parts.keys() ^ names.keys()):
        what = "names no class" if odd[0] in parts else "is not given"
        form = shlex.quote(comma_list([f"{name}=1" for name in names]))
        raise InputError(f"--shares: '{odd[0]}' {what}; give every class its part: --shares {form}")
    return {name: parts[name] for name in names}


def class_sizes(
    counts: Mapping[str, int], shares: Mapping[str, Share], size: int | None
) -> dict[str, int]:
    """Compute how many images of each class to keep.

    Parameters
    ----------
    counts : mapping of str to int
        Number of images available, by class.
    shares : mapping of str to (float or Fraction)
        Wanted shares of the same classes, which sum to 1.
    size : int, optional
        Wanted total; by default as many as the shares permit.

    Returns
    -------
    dict of str to int
        Number of images to keep, by class; each share is met to within one image.

    Raises
    ------
    InputError
        If there are too few images; the message says what is possible.
    """
    largest = min(math.floor(counts[name] / share) for name, share in shares.items() if share)
    wanted = apportion(largest if size is None else size, shares)
    if size is not None and any(wanted[name] > count for name, count in counts.items()):
        raise InputError(
            f"--size {size} needs {_listed(wanted)} images; there are {_listed(counts)}: "
            f"the largest possible --size is {largest}"
        )
    return wanted


def apportion(size: int, shares: Mapping[str, Share]) -> dict[str, int]:
    """Divide a number by shares; each part is rounded down or up.

    Parts with the largest remainders are rounded up; of equal remainders, the first class's is
    rounded.

    Parameters
    ----------
    size : int
        The number to divide.
    shares : mapping of str to (float or Fraction)
        The shares, which sum to 1.

    Returns
    -------
    dict of str to int
        Parts that sum to `size`.
    """
    first, *rest = shares
    exact: dict[str, Share] = {name: size * shares[name] for name in rest}
    # The last class gets exactly what the others leave: of two classes, the second's rounding
    # decides.
    left: Share = size - sum(exact.values())
    exact = {first: left, **exact}
    parts = {name: round(part) for name, part in exact.items()}
    excess = sum(parts.values()) - size
    step = 1 if excess > 0 else -1
    moved = sorted(exact, key=lambda name: step * (exact[name] - parts[name]))[: abs(excess)]
    return {name: part - step * (name in moved) for name, part in parts.items()}


def check_kept(counts: Mapping[str, int], wanted: Mapping[str, int], *, binary: bool) -> None:
    """Raise if the sample lacks a class."""
    if all(wanted.values()):
        return
    if binary:
        (others, positives), (fewer, ours) = counts.values(), wanted.values()
        raise InputError(
            f"undersample: {positives} positive and {others} other images are left, of which "
            f"{ours} and {fewer} would be kept; both classes are needed: list more "
            "images, or change --positive, --conflicts or --positive-fraction"
        )
    lacking = [name for name, count in counts.items() if not count]
    leave_out = typed(f"binarize --exclude {shlex.quote(comma_list(lacking))}")
    remedy = f"leave them out with '{leave_out}'" if lacking else "change --shares or --size"
    raise InputError(
        f"undersample: of images left, {_listed(counts)}, {_listed(wanted)} would be kept; every "
        f"class is needed: list more images, or {remedy}"
    )


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} '{name}'" for name, count in counts.items())
