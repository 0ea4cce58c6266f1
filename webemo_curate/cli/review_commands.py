"""The command by which a person decides what the rules are not sure of."""

import getpass
from typing import Annotated

import typer

from webemo_curate.cli.call import Call
from webemo_curate.cli.command import command
from webemo_curate.cli.review_records import ON_THE_PAGE, Records, say_estimate
from webemo_curate.reviews.review import NEAR, ReviewKind

KindOption = Annotated[
    ReviewKind | None,
    typer.Option(
        help="What is asked: whether a picture bears text, whether two are the same, which label "
        "is right; default all that there are manifests of."
    ),
]
MarginOption = Annotated[
    float,
    typer.Option(
        metavar="X",
        min=0,
        help="How near to its threshold a score is, 0 to 1; labels in conflict or doubt all are.",
    ),
]
PortOption = Annotated[
    int, typer.Option(metavar="N", min=0, max=65535, help="Port on loopback; 0: any that is free.")
]
ReviewerOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Who decides; default the name of the user."),
]
BrowserOption = Annotated[
    bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
]


@command(
    "review",
    looks=True,
    examples=(
        "review --workspace mine",
        "review --kind duplicate --margin 0.05 --workspace mine",
        "review --port 8765 --no-browser --reviewer ann --workspace mine",
        "review --sample 200 --workspace mine",
        "review --export decisions.csv --workspace mine",
    ),
    keeps=True,
)
def review(
    call: Call,
    kind: KindOption = None,
    margin: MarginOption = NEAR,
    port: PortOption = 0,
    reviewer: ReviewerOption = None,
    browser: BrowserOption = True,
    records: Records = ON_THE_PAGE,
) -> None:
    """Decide by eye, on a page, what the rules are least sure of; decisions are data."""
    reviewer = reviewer or user_name()
    if wanted := records.asked():
        wanted(call, records, reviewer)
        return
    from webemo_curate.review_page.browser import open_browser
    from webemo_curate.review_page.session import Session

    def say(address: str) -> None:
        print(f"The page: {address}")
        print("It ends with Done on the page, or with Ctrl-C here.", flush=True)
        if browser:
            open_browser(address)

    session = Session(reviewer, port, say)
    if drawn := records.drawn(call):
        session.sample(call.work(), drawn.pictures(), drawn.note)
        say_estimate(call, drawn)
        return
    made = session.near(call.work(), kind, margin)
    call.end(f"Decisions made: {made}", then="split")
    call.answer(made=made)


def user_name() -> str:
    """Return the name of who runs this, or a word for nobody known."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "reviewer"
