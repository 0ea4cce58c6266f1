"""Plots as SVG that stands in a page, each with ids of its own."""

import io
import re
import warnings
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Final
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

FIRST, SECOND = "#3b6ea8", "#c8553d"
SIZE = (5.2, 3.4)
"""Inches; the page scales them."""

STYLE: Any = {
    "svg.hashsalt": "webemo-curate",  # equal data give an equal file
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 9,
    "text.parse_math": False,  # names of sets and networks are data: a dollar is a dollar
}

IN_A_PAGE: Any = STYLE | {"svg.fonttype": "none"}
"""Words stay words: they are found, read out and a tenth of the bytes of their outlines."""

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
NOT_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML may hold (XML 1.0, section 2.2): matplotlib writes names as they are."""

GLYPHS: Final = r"Glyph \d+"
"""Begins a warning that shows a sign as it is, a terminal's control character too."""

METADATA: Final = f"{{{SVG}}}metadata"

Draw = Callable[[Axes], None]


def plot(draw: Draw, size: tuple[float, float] = SIZE, style: Any = IN_A_PAGE) -> str:
    """Draw one panel as an SVG element; `size` in inches."""
    return plot_row([draw], size, style)


def plot_row(draws: Sequence[Draw], size: tuple[float, float], style: Any = IN_A_PAGE) -> str:
    """Draw panels side by side as one SVG element.

    Parameters
    ----------
    draws : sequence of callable
        Each draws on the axes it is given.
    size : tuple of float
        Width and height, inches.
    style : mapping
        Settings of matplotlib.

    Returns
    -------
    str
        The element, without what stands before it in a file.
    """
    with mpl.rc_context(style):
        figure = Figure(figsize=size, layout="constrained")
        for draw, axes in zip(draws, figure.subplots(1, len(draws), squeeze=False)[0], strict=True):
            draw(axes)
        stream = io.StringIO()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", GLYPHS)
            figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = NOT_XML.sub("\ufffd", stream.getvalue())
    return text[text.index("<svg") :]


class OwnIds:
    """Gives each plot of a page ids that no other has.

    Every plot of matplotlib begins with the same ones, and what one refers to would be another's.
    """

    def __init__(self) -> None:
        self._plots = count(1)

    def __call__(self, svg: str) -> str:
        """Return a plot with the page's own ids, and without metadata that no reader sees."""
        prefix = f"plot{next(self._plots)}-"
        ElementTree.register_namespace("", SVG)
        ElementTree.register_namespace("xlink", XLINK)
        root = ElementTree.fromstring(svg)  # noqa: S314 - what matplotlib has written here
        for element in [*root.iter()]:
            for child in element.findall(METADATA):
                element.remove(child)
            for name, value in element.attrib.items():
                element.set(name, _prefixed(name, value, prefix))
        root.set("aria-hidden", "true")  # what stands around it says in words what it shows
        return ElementTree.tostring(root, "unicode")


def _prefixed(name: str, value: str, prefix: str) -> str:
    """Return an attribute's value with the prefix before the id that it is or refers to."""
    if name == "id":
        return prefix + value
    if name.endswith("href") and value.startswith("#"):
        return f"#{prefix}{value[1:]}"
    return value.replace("url(#", f"url(#{prefix}")
