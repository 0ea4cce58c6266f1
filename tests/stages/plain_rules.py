"""The rules of binarize, undersample and split in plain Python, row by row, for small tables."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from webemo_curate.stages.split import SPLITS, divide

Rows = Iterable[Mapping[str, Any]]
Votes = dict[str, Counter[str | None]]


def votes(tables: Mapping[str, Rows]) -> Votes:
    """Count the listed lines of each cluster by label."""
    labels = defaultdict(list)
    for line in tables["listing"]:
        labels[line["url"]].append(line["label"])
    clusters = {row["sha256"]: row["cluster"] for row in tables["duplicates"]}
    found: Votes = defaultdict(Counter)
    for row in tables["fetch"]:
        cluster = clusters.get(row["sha256"])
        if row["status"] in ("ok", "local") and cluster and labels[row["url"]]:
            found[cluster].update(labels[row["url"]])
    return found


def settled(found: Counter[str | None], classes: Mapping[str, int], policy: str) -> dict[str, Any]:
    """Return what the labels of one cluster make; excluded labels have no class."""
    named = {label: lines for label, lines in found.items() if label is not None}
    tally: Counter[int] = Counter()
    for label, lines in named.items():
        if label in classes:
            tally[classes[label]] += lines
    most = max(tally.values(), default=0)
    winners = sorted(each for each in tally if tally[each] == most)
    conflict = len(tally) > 1
    open_ = policy == "drop" or (policy == "majority" and len(winners) > 1)
    verdict = "kept"
    if conflict and open_:
        verdict = "label_conflict"
    if not tally:
        verdict = "label_excluded" if named else "unlabeled"
    target = None
    if verdict == "kept":
        target = int(tally[1] > 0) if policy == "positive" else winners[0]
    speaking = [
        label for label in named if label in classes and target in (None, classes[label])
    ] or [*named]
    return {
        "labels": sorted(named),
        "label": min(speaking, key=lambda label: (-named[label], label), default=None),
        "target": target,
        "tally": tally,
        "conflict": conflict,
        "verdict": verdict,
    }


def number(purpose: str, name: str, seed: int = 0) -> int:
    """Return the number that is drawn for a name."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{purpose}:{name}".encode()).digest()[:8], "big")


def drawn(rows: Sequence[Mapping[str, Any]], size: int) -> set[str]:
    """Return the clusters of one class that are kept: the lowest places in their labels."""
    by_label = defaultdict(list)
    for row in rows:
        by_label[row["label"]].append((number("undersample", row["cluster"]), row["cluster"]))
    places = [
        ((place + 1 - 0.5) / len(members), *member)
        for members in by_label.values()
        for place, member in enumerate(sorted(members))
    ]
    return {name for _, _, name in sorted(places)[:size]}


def split_homes(
    rows: Sequence[Mapping[str, Any]], ratios: Sequence[float], fixed: Mapping[str, str]
) -> dict[str, str]:
    """Return the split of each group: as fixed, the others in the order of their strata."""
    members = defaultdict(list)
    for row in rows:
        members[row["group"]].append((row["target"], row["label"]))
    free = sorted(
        (min(strata), number("split", group), group, len(strata))
        for group, strata in members.items()
        if group not in fixed
    )
    taken = [sum(len(members[g]) for g in members if fixed.get(g) == each) for each in SPLITS]
    places = divide([size for *_, size in free], ratios, taken)
    dealt = {group: SPLITS[place] for (_, _, group, _), place in zip(free, places, strict=True)}
    return dealt | {group: fixed[group] for group in members if group in fixed}
