"""A host that forgets and changes pictures, and what a rebuild has to find of it."""

import io
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from tests.download.site import Site, answer, picture
from tests.exports.shared_set import TWICE, TWIN_FROM, Drawn

GONE = answer(status=b"410 Gone")


def recompressed(content: bytes) -> bytes:
    """Store the same pixels in other bytes."""
    stream = io.BytesIO()
    Image.open(io.BytesIO(content)).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def re_encoded(content: bytes) -> bytes:
    """Store nearly the same pixels as a JPEG."""
    stream = io.BytesIO()
    Image.open(io.BytesIO(content)).convert("RGB").save(stream, "JPEG", quality=80)
    return stream.getvalue()


FAULTS: dict[str, Callable[[bytes], bytes]] = {
    "same_pixels": lambda content: answer(recompressed(content)),
    "re_encoded": lambda content: answer(re_encoded(content)),
    "replaced": lambda _: answer(picture(4711)),
    "gone": lambda _: GONE,
    "page": lambda _: answer(b"<html>We moved!</html>"),
}


@dataclass(frozen=True)
class Plan:
    """What was planted: outcome and status by image."""

    outcomes: dict[str, str]
    statuses: dict[str, str]


def plant(site: Site, pictures: list[Drawn], rows: list[dict[str, object]]) -> Plan:
    """Let the host forget or change pictures in turn; every other one stays."""
    by_hash = {one.sha256: one for one in pictures}
    outcomes, statuses, faults = {}, {}, list(FAULTS.items())
    for number, row in enumerate(rows):
        sha256 = str(row["sha256"])
        one = by_hash[sha256]
        path = f"/{one.number}{one.suffix}"
        outcomes[sha256], statuses[sha256] = "identical", "ok"
        if one.number == TWICE:
            # Its second URL serves it still.
            site.answers[path] = GONE
        elif one.number + TWIN_FROM < len(pictures):
            # A picture whose near duplicate the release names is gone itself.
            site.answers[path] = GONE
            outcomes[sha256] = "substitute"
        elif number % 2:
            name, fault = faults[number // 2 % len(faults)]
            site.answers[path] = fault(one.content)
            dead = {"gone": "gone", "page": "not_image"}.get(name)
            outcomes[sha256] = "dead" if dead else name
            statuses[sha256] = dead or "ok"
    return Plan(outcomes, statuses)
