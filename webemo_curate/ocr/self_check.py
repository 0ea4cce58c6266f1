"""Check that an engine works, by showing it pictures that are known to be sound.

An exception may be the picture's fault or the engine's own. An engine that also fails on a sound
picture would call every picture unreadable, so it ends the run.
"""

import traceback
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from webemo_curate.ocr.detector import EngineError, TextDetector
from webemo_curate.ocr.pixels import to_pixels
from webemo_curate.system_faults import GO_ON, raise_system_fault

SIZE = 224, 160
WORD_HEIGHT, SIGN_HEIGHT = 32, 20
"""Pixels. Every look finds signs of this height; larger ones the closest look misses."""


def require_working(detector: TextDetector) -> None:
    """Raise if an engine fails on sound pictures.

    Parameters
    ----------
    detector : TextDetector
        The detector, set up.

    Raises
    ------
    EngineError
        If it fails; the message names the error and its place.
    SystemFaultError
        If the machine lacks something.
    """
    for picture in sound_pictures():
        try:
            detector.detect([to_pixels(picture)])
        except Exception as error:
            raise_system_fault(error)
            raise EngineError(_message(error)) from error


def sound_pictures() -> tuple[Image.Image, ...]:
    """Return pictures that take an engine through all its steps.

    Returns
    -------
    tuple of PIL.Image.Image
        RGB pictures: clear words, which the first look reads; signs of no script, which every look
        finds and none reads; and a blank one.
    """
    words, signs, nothing = (Image.new("RGB", SIZE, "steelblue") for _ in range(3))
    middle = SIZE[0] / 2, SIZE[1] / 2
    font = ImageFont.load_default(WORD_HEIGHT)
    ImageDraw.Draw(words).text(middle, "evening", "white", font, anchor="mm")
    draw = ImageDraw.Draw(signs)
    for number in range(6):
        left, top = 30 + number * 17, middle[1] - SIGN_HEIGHT / 2
        corners = [(0, 0), (11, SIGN_HEIGHT), (11, 0), (0, SIGN_HEIGHT), (5, 0)][: 3 + number % 3]
        draw.line([(left + x, top + y) for x, y in corners], "white", 2)
    return words, signs, nothing


def _message(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"the text engine fails on a picture without fault: {type(error).__name__}: {error} "
        f"({Path(frame.filename).name}, line {frame.lineno}); the images are not to blame. Install "
        f"the package anew, or report this, and {GO_ON}"
    )
