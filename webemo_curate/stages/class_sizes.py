"""Compute how many images of each class a sample keeps, by the shares that are wanted."""

import math
import shlex
from collections.abc import Mapping
from fractions import Fraction

from webemo_curate.config import UndersampleConfig
from webemo_curate.config.label_config import LISTED
from webemo_curate.errors import InputError
from webemo_curate.remedies import typed

Share = float | Fraction


def wanted_shares(
    config: UndersampleConfig, counts: Mapping[str, int], *, binary: bool
) -> dict[str, Share]:
    """Return the share that each class is to have; their sum is 1.

    Parameters
    ----------
    config : UndersampleConfig
        Its parts, or without any the positive fraction of a binary target and else equal shares.
    counts : mapping of str to int
        Images of each class, in the order of their numbers.
    binary : bool
        Whether the last class is held against the other.

    Returns
    -------
    dict of str to (float or Fraction)
        In the same order.

    Raises
    ------
    InputError
        If the parts given name other classes.
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
        form = ",".join(f"{name}=1" for name in names)
        raise InputError(
            f"--shares: '{odd[0]}' {what}; give every class its part: --shares '{form}'"
        )
    return {name: parts[name] for name in names}


def class_sizes(
    counts: Mapping[str, int], shares: Mapping[str, Share], size: int | None
) -> dict[str, int]:
    """Work out how many images of each class to keep.

    Parameters
    ----------
    counts : mapping of str to int
        Images there are of each class.
    shares : mapping of str to (float or Fraction)
        Wanted shares of the same classes; their sum is 1.
    size : int, optional
        Wanted number in all; default as many as the shares allow.

    Returns
    -------
    dict of str to int
        Images of each class to keep; each share is as wanted to within one image.

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
    """Divide a number by shares: each class gets its part rounded down or up.

    The parts nearest to the next number are rounded up (largest remainders); where two are equally
    near, it is the first class's part that is moved.

    Parameters
    ----------
    size : int
        What is divided.
    shares : mapping of str to (float or Fraction)
        Their sum is 1.

    Returns
    -------
    dict of str to int
        Their sum is the size.
    """
    first, *rest = shares
    exact: dict[str, Share] = {name: size * shares[name] for name in rest}
    # What the others leave, to the bit: of two classes the second's rounding decides.
    left: Share = size - sum(exact.values())
    exact = {first: left, **exact}
    parts = {name: round(part) for name, part in exact.items()}
    excess = sum(parts.values()) - size
    step = 1 if excess > 0 else -1
    moved = sorted(exact, key=lambda name: step * (exact[name] - parts[name]))[: abs(excess)]
    return {name: part - step * (name in moved) for name, part in parts.items()}


def check_kept(counts: Mapping[str, int], wanted: Mapping[str, int], *, binary: bool) -> None:
    """Refuse a sample that lacks a class."""
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
    leave_out = typed(f"binarize --exclude {shlex.quote(','.join(lacking))}")
    remedy = f"leave them out with '{leave_out}'" if lacking else "change --shares or --size"
    raise InputError(
        f"undersample: of images left, {_listed(counts)}, {_listed(wanted)} would be kept; every "
        f"class is needed: list more images, or {remedy}"
    )


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} '{name}'" for name, count in counts.items())
