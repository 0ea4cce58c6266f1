"""Look a second time, with another detector, at images in which the first confirmed no text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from webemo_curate.ocr.detector import TextBox, TextDetector, to_arrow
from webemo_curate.ocr.overlay.agreement import mark_agreement
from webemo_curate.ocr.pixels import Pixels
from webemo_curate.ocr.requirement import Rule
from webemo_curate.ocr.rule import decide

if TYPE_CHECKING:
    from webemo_curate.ocr.device_network import NetworkFile


@dataclass(frozen=True)
class SecondLook:
    """Two detectors in turn; a `TextDetector`.

    The second detector's boxes replace the first one's if they confirm text. Otherwise the first
    one's boxes remain, because boxes of both would cover the same words twice.

    Attributes
    ----------
    first
        Looks at every image.
    second
        Looks at the images in which the first confirmed nothing.
    rule
        Confirms text in the first look. It does not depend on the user's threshold, so that a new
        threshold needs no new OCR.
    second_rule
        Confirms text in the second look.
    independent
        Whether the second look uses another network, so that it is evidence if both find the same
        place; the first look's boxes then record the agreement. A network would only repeat its own
        errors.
    """

    first: TextDetector
    second: TextDetector
    rule: Rule
    second_rule: Rule
    independent: bool = False

    @property
    def images_at_once(self) -> int:
        """Number of images to pass together; see `TextDetector`."""
        return self.first.images_at_once

    def setup(self) -> None:
        """Load the networks of both; see `TextDetector.setup`."""
        self.first.setup()
        self.second.setup()

    def networks(self) -> "Mapping[str, NetworkFile]":
        """Return the networks of both that run on a GPU; see `TextDetector.networks`."""
        return {**self.first.networks(), **self.second.networks()}

    def detect(self, images: Sequence[Pixels]) -> list[list[TextBox]]:
        """Find and read the text of each image; see `TextDetector.detect`."""
        found = self.first.detect(images)
        silent = [index for index, sure in enumerate(_confirmed(found, self.rule)) if not sure]
        again = self.second.detect([images[index] for index in silent])
        for index, boxes, sure in zip(
            silent, again, _confirmed(again, self.second_rule), strict=True
        ):
            if sure:
                found[index] = boxes
            elif self.independent:
                found[index] = mark_agreement(found[index], boxes)
        return found


def _confirmed(found: list[list[TextBox]], rule: Rule) -> list[bool]:
    confirmed: list[bool] = decide(to_arrow(found), rule).bears_text.tolist()
    return confirmed
