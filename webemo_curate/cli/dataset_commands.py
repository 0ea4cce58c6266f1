"""Commands that run stages, from lists to splits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from webemo_curate.cli.call import Call
from webemo_curate.cli.command import RUNNER, check_place, command
from webemo_curate.errors import InputError

# Whatever a command needs beyond this it imports itself: `curate --help` must answer at once.

OnlyOption = Annotated[
    bool, typer.Option("--only", help="Run this stage alone, whatever is stale above it.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say which stages would run and why; run none.")
]

NEXT = {
    "fetch": "filter-text",
    "quality": "filter-text",
    "text": "dedup",
    "dedup": "split",
    "binarize": "split",
    "undersample": "split",
    "split": "split",
    "decisions": "train-model",
}
"""The command that is usually next after a stage; the split alone lacks the decisions."""


@command(
    "fetch",
    *("listing", "fetch", *RUNNER),
    examples=(
        "fetch --source photos --workspace mine",
        "fetch --lists urls.csv --url-column link --label-column emotion --workspace mine",
        "fetch --lists webemo --limit 2000 --workspace webemo",
        "fetch --retry-status 404,timeout --workspace webemo",
    ),
)
def fetch(call: Call, only: OnlyOption = False, dry_run: DryRunOption = False) -> None:
    """Download every distinct URL of the lists once; record how each ended."""
    _run_stages(call, "fetch", only=only, dry_run=dry_run)


@command(
    "filter-text",
    *("filter_text", *RUNNER),
    examples=(
        "filter-text --workspace mine",
        "filter-text --preset lenient --workspace mine",
        "filter-text --gpu --ocr easyocr --workspace mine",
    ),
)
def filter_text(call: Call, only: OnlyOption = False, dry_run: DryRunOption = False) -> None:
    """Drop images that bear text, by OCR; a new threshold needs no second OCR."""
    _run_stages(call, "text", only=only, dry_run=dry_run)


@command(
    "flag-quality",
    *("quality", *RUNNER),
    examples=(
        "flag-quality --workspace mine",
        "flag-quality --drop dark,blurry --workspace mine",
        "flag-quality --blurry 0.2 --drop none --workspace mine",
    ),
)
def flag_quality(call: Call, only: OnlyOption = False, dry_run: DryRunOption = False) -> None:
    """Flag dark, blurry, empty, odd or badly compressed images; drop those that you name."""
    _run_stages(call, "quality", only=only, dry_run=dry_run)


@command(
    "dedup",
    *("dedup", "features.enabled", *RUNNER),
    examples=("dedup --workspace mine", "dedup --against UnbiasedEmo --workspace mine"),
)
def dedup(
    call: Call,
    against: Annotated[
        list[Path] | None,
        typer.Option(
            help="Also mark what this folder, manifest or added set shares with the images."
        ),
    ] = None,
    only: OnlyOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Find exact and near duplicates; keep one image of each cluster."""
    if against and dry_run:
        raise InputError("--against compares at once; leave out --dry-run")
    sets = _outside_sets(call, against or ())
    _run_stages(call, "dedup", only=only, dry_run=dry_run, against=sets)


@command(
    "binarize",
    *("binarize", "listing.taxonomy", *RUNNER),
    examples=("binarize --positive sad --workspace mine", "binarize --target labels"),
)
def binarize(call: Call, only: OnlyOption = False, dry_run: DryRunOption = False) -> None:
    """Turn labels into classes: a positive one (1) against others (0), or several."""
    _run_stages(call, "binarize", only=only, dry_run=dry_run)


@command(
    "undersample",
    *("undersample", "label_issues.drop_worst", "binarize.target", *RUNNER),
    examples=(
        "undersample --positive-fraction 0.46",
        "undersample --size none",
        "undersample --drop-worst 5%",
    ),
)
def undersample(call: Call, only: OnlyOption = False, dry_run: DryRunOption = False) -> None:
    """Balance the classes by leaving out images of the larger ones."""
    _check_alone(call, only=only)
    _run_stages(call, "undersample", only=only, dry_run=dry_run)


@command(
    "split",
    *("split", "binarize.target", *RUNNER),
    examples=("split --workspace mine", "split --ratios 70/15/15 --seed 1", "split --dry-run"),
)
def split(call: Call, only: OnlyOption = False, dry_run: DryRunOption = False) -> None:
    """Write the train, validation and test manifests, and the decisions on all that left."""
    _check_alone(call, only=only)
    # The decisions are the split's second half; alone, the split is what was asked for.
    _run_stages(call, "split" if only else "decisions", only=only, dry_run=dry_run)


def _check_alone(call: Call, *, only: bool) -> None:
    """Refuse a target that the stage run alone would not get to see."""
    if only and call.given["binarize"]["target"]:
        raise InputError(f"--target is settled by '{call.typed('binarize')}'; leave out --only")


def _run_stages(
    call: Call, target: str, *, only: bool, dry_run: bool, against: Sequence[Path] = ()
) -> None:
    """Run stages up to a target and show each, or say which would run; see `Pipeline`.

    Then tell what each set of `against` shares with the workspace; see `leakage.mark_shared`.
    """
    from webemo_curate.cli.show import as_dicts, show_plan, show_result, show_stages
    from webemo_curate.cli.summary import closing_line
    from webemo_curate.pipeline import Pipeline

    if only:
        check_place(call.place, there=True)
    config = call.config()
    pipeline = Pipeline(call.workspace, config)
    if dry_run:
        call.answer(plan=show_plan(pipeline, target))
        return
    outcomes = show_stages(pipeline.run(target, only=only))
    print(closing_line(outcomes))
    show_result(pipeline, target)
    shared = _mark_shared(call, against)
    manifest = next(iter(outcomes[-1].rows))
    call.end(lies=call.workspace.where(manifest), then=NEXT.get(target, "split"))
    call.answer(stages=as_dicts(outcomes), shared=shared)


def _outside_sets(call: Call, named: Sequence[Path]) -> list[Path]:
    """Return where the sets lie that are compared with; a mistyped one ends before anything runs.

    Raises
    ------
    InputError
        If one is no folder, manifest or added set.
    """
    from webemo_curate.manifest_store import manifest_key
    from webemo_curate.verification import added_sets

    added = added_sets(call.workspace) if named else []
    for place in named:
        if not place.exists() and str(place) not in added:
            known = f"; added sets are: {', '.join(added)}" if added else ""
            raise InputError(f"--against {place}: no such folder or manifest{known}")
    local = call.workspace.store.local
    return [place if place.exists() else local(manifest_key(str(place))) for place in named]


def _mark_shared(call: Call, sets: Sequence[Path]) -> dict[str, int]:
    if not sets:
        return {}
    from webemo_curate.duplicates.leakage import mark_shared
    from webemo_curate.duplicates.shared_pictures import TRAINED_ON

    work, counts = call.work(), {}
    with work.workspace.lock(), work.running() as runner:
        for place in sets:
            shared = mark_shared(place, work, runner)
            print(shared.summary())
            split = all(map(call.workspace.has, TRAINED_ON))
            if split and (warning := shared.trained_on(call.workspace).warning()):
                print(f"  {warning}")
            counts[shared.name] = shared.shared()
    return counts
