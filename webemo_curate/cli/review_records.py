"""Decisions as data at the command line: listed, exchanged, compared, without a picture shown."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from webemo_curate.cli.call import Call
from webemo_curate.errors import InputError

if TYPE_CHECKING:
    from webemo_curate.reviews.blind_sample import BlindSample

RECORDS = "Decisions as data"
MAX_LISTED = 1_000
"""Decisions that a list shows; an export has all."""

ListOption = Annotated[
    bool,
    typer.Option(
        "--list",
        help="List the decisions, and which of them are of no use.",
        rich_help_panel=RECORDS,
    ),
]
ExportOption = Annotated[
    Path | None,
    typer.Option(
        "--export",
        metavar="FILE.csv",
        help="Write all decisions; with --sample, the pictures drawn, to be filled in.",
        rich_help_panel=RECORDS,
    ),
]
ImportOption = Annotated[
    Path | None,
    typer.Option(
        "--import", metavar="FILE.csv", help="Add a file's decisions.", rich_help_panel=RECORDS
    ),
]
AgreementOption = Annotated[
    bool,
    typer.Option(
        "--agreement",
        help="Say how far reviewers agree, and list what they disagree on.",
        rich_help_panel=RECORDS,
    ),
]
EstimateOption = Annotated[
    bool,
    typer.Option(
        "--estimate",
        help="Estimate the text filter's precision and recall from the blind sample decided.",
        rich_help_panel=RECORDS,
    ),
]
SampleOption = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=1, help="A blind sample of N pictures, half of them dropped for text."
    ),
]
SeedOption = Annotated[int, typer.Option(help="Seed of the sample's draw.")]


@dataclass(frozen=True)
class Records:
    """What was asked for of the decisions.

    Attributes
    ----------
    listed, agreement, estimate
        Whether each is to be shown.
    exported, imported
        Files.
    sample, seed
        Size and seed of a blind sample.
    """

    listed: ListOption = False
    exported: ExportOption = None
    imported: ImportOption = None
    agreement: AgreementOption = False
    estimate: EstimateOption = False
    sample: SampleOption = None
    seed: SeedOption = 0

    def drawn(self, call: Call) -> "BlindSample | None":
        """Draw the blind sample, if one was asked for."""
        from webemo_curate.reviews.blind_sample import draw_sample

        return draw_sample(call.workspace, self.sample, self.seed) if self.sample else None

    def asked(self) -> "Callable[[Call, Records, str], None] | None":
        """Return the one that was asked for; None if the page is.

        Raises
        ------
        InputError
            If several were.
        """
        given = {
            "--list": (self.listed, _list),
            "--export": (self.exported, _export),
            "--import": (self.imported, _import),
            "--agreement": (self.agreement, _agreement),
            "--estimate": (self.estimate, _estimate),
        }
        named = [name for name, (is_given, _) in given.items() if is_given]
        if len(named) > 1:
            raise InputError(f"{named[0]} and {named[1]}: give one of them at a time")
        return given[named[0]][1] if named else None


ON_THE_PAGE = Records()
"""Nothing was asked for of the decisions alone."""


def _list(call: Call, records: Records, reviewer: str) -> None:  # noqa: ARG001
    from webemo_curate.reviews.review_journal import ReviewJournal
    from webemo_curate.reviews.unused import unused_reasons

    reviews = ReviewJournal(call.workspace).deciding()
    unused = unused_reasons(call.workspace, reviews)
    # Decisions without effect come first: a list is asked for to find them.
    for review in sorted(reviews, key=lambda each: each not in unused)[:MAX_LISTED]:
        why = f"  unused: {unused[review]}" if review in unused else ""
        names = " ".join(filter(None, (review.sha256, review.other)))
        print(f"{review.kind} {names} {review.decision!r} by {review.reviewer}{why}")
    if len(reviews) > MAX_LISTED:
        print(
            f"and {len(reviews) - MAX_LISTED:,} more: {call.typed('review --export reviews.csv')}"
        )
    call.end(f"{len(reviews)} decisions, {len(unused)} of them of no use here; none is lost")
    rows = [asdict(each) | {"unused": unused.get(each)} for each in reviews]
    call.answer(reviews=rows, unused=len(unused))


def _export(call: Call, records: Records, reviewer: str) -> None:  # noqa: ARG001
    from webemo_curate.reviews.review_files import export_reviews, export_sample
    from webemo_curate.reviews.review_journal import ReviewJournal

    file = records.exported or Path()
    sample = records.drawn(call)
    if sample is not None:
        pictures = sample.pictures()
        export_sample(sample, call.workspace.image_paths(pictures), file)
        said, count = "pictures to decide; fill in `decision`", len(pictures)
    else:
        entries = ReviewJournal(call.workspace).all()
        export_reviews(entries, file)
        said, count = "entries", len(entries)
    call.end(f"{count} {said}", lies=file)
    call.answer(exported=count, file=str(file))


def _import(call: Call, records: Records, reviewer: str) -> None:
    from webemo_curate.reviews.review_files import import_reviews
    from webemo_curate.reviews.review_journal import ReviewJournal

    file = records.imported or Path()
    with ReviewJournal(call.workspace) as journal:
        found = import_reviews(journal, file, reviewer)
    call.end(
        f"{found.added} decisions added, {found.known} were there already, {found.empty} rows "
        "without a decision",
        then="split",
    )
    call.answer(**found._asdict())


def _agreement(call: Call, records: Records, reviewer: str) -> None:  # noqa: ARG001
    from webemo_curate.reviews.review_journal import ReviewJournal
    from webemo_curate.reviews.reviewers_agreement import agreements

    journal = ReviewJournal(call.workspace)
    found, conflicts = agreements(journal.all()), journal.conflicts()
    for agreement in found:
        print(agreement.line())
    for case, reviews in conflicts[:MAX_LISTED]:
        said = ", ".join(f"{each.reviewer} {each.decision!r}" for each in reviews)
        print(f"{case.kind} {' '.join(filter(None, case[1:]))}: {said}")
    none = "no case has been decided by two reviewers; --reviewer NAME says who decides"
    call.end(f"{len(conflicts)} conflicts" if found else none)
    call.answer(
        agreements=[asdict(each) for each in found],
        conflicts=[[asdict(each) for each in reviews] for _, reviews in conflicts],
    )


def _estimate(call: Call, records: Records, reviewer: str) -> None:  # noqa: ARG001
    from webemo_curate.reviews.blind_sample import draw_sample, recorded_sample
    from webemo_curate.reviews.review_journal import ReviewJournal

    drawn = records.drawn(call)
    if drawn is None:
        recorded = recorded_sample(ReviewJournal(call.workspace).all())
        if recorded is None:
            remedy = call.typed("review --sample 200")
            raise InputError(f"no blind sample has been decided on; '{remedy}' asks for one")
        drawn = draw_sample(call.workspace, *recorded)
    say_estimate(call, drawn)


def say_estimate(call: Call, sample: "BlindSample") -> None:
    """Say what the decisions on a sample say of the text filter."""
    from webemo_curate.reviews.blind_sample import estimate_filter
    from webemo_curate.reviews.review_journal import ReviewJournal

    estimate = estimate_filter(sample, ReviewJournal(call.workspace).all())
    call.end(*estimate.lines())
    call.answer(
        size=sample.size,
        seed=sample.seed,
        images=dict(sample.images),
        decided=dict(estimate.decided),
        bearing=dict(estimate.bearing),
        precision=estimate.precision,
        recall=estimate.recall,
    )
