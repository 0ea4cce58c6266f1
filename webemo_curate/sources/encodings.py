"""Detect the encoding of a text from its beginning; what cannot be told for certain is asked."""

import codecs
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from webemo_curate.errors import InputError
from webemo_curate.sources.source import logger

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch

MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; UTF-32's come first, because they begin like UTF-16's."""

USUAL: Final = (
    *("cp1252", "cp1251", "gb18030", "cp932", "cp949", "big5", "euc_jis_2004", "cp1250", "cp1254"),
    *("cp1256", "cp1253", "cp1255", "cp1257", "cp1258", "cp874", "koi8_r", "iso8859_2"),
    *("utf_16_le", "utf_16_be", "utf_32_le", "utf_32_be"),
)
"""Encodings in which tables still stand, the most usual first, each by the widest of its kind.
Those of DOS and old Macs fit almost any text, so that they are not told: they need --encoding."""

LEEWAY: Final = 0.1
"""Encodings whose mess (charset-normalizer's measure, 0 to 1) exceeds the least by no more are
possible: a table has few words, on which the first guess is often wrong."""

WORDS_LEEWAY: Final = 0.3
"""Likewise for its measure of how much a text's letters are those of some language (0 to 1)."""

SHOWN: Final = 8
"""Most encodings shown with what they read."""

ODD: Final = re.compile(r"[^,;|\t\r\n\"]*[^\x00-\x7f,;|\t\r\n][^,;|\t\r\n\"]*")
"""A cell with a character beyond ASCII."""


def known_encoding(file: Path, encoding: str) -> str:
    """Return Python's name of an encoding that the user gave; raise if there is none."""
    try:
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise InputError(f"{file}: --encoding {encoding}: no encoding has this name") from error


def marked_encoding(sample: bytes) -> str | None:
    """Return the encoding that a byte order mark states; None without one."""
    return next((name for mark, name in MARKS if sample.startswith(mark)), None)


def sample_text(sample: bytes, encoding: str) -> str:
    """Decode a text's beginning, which may end within a character."""
    text = codecs.getincrementaldecoder(encoding)("replace").decode(sample)
    return text.removeprefix("\ufeff")


def tell_encoding(file: Path, sample: bytes) -> str:
    """Detect an encoding.

    Parameters
    ----------
    file : Path
        For messages.
    sample : bytes
        The text's beginning.

    Returns
    -------
    str
        By the byte order mark, as UTF-8 if the text is valid UTF-8, else by charset-normalizer,
        which is said with a warning.

    Raises
    ------
    InputError
        If several encodings are possible that read the text differently. Names the encodings, and
        the first odd cell as each reads it.
    """
    if marked := marked_encoding(sample):
        return marked
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return _by_signs(file, sample)
    return "utf-8"


def _by_signs(file: Path, sample: bytes) -> str:
    readings = _readings(sample)
    if len(readings) == 1:
        ((text, name),) = readings.items()
        logger.warning(
            "%s: is not UTF-8; by its signs it is %s (%s): where names look wrong give --encoding",
            file,
            name,
            _odd_cell(text),
        )
        return name
    listed = ", ".join(f"{name} ({_odd_cell(text)})" for text, name in [*readings.items()][:SHOWN])
    told = f"; it may be one of: {listed}" if readings else ""
    raise InputError(
        f"{file}: is not UTF-8, and its encoding cannot be told for certain{told}: save it as "
        "UTF-8, or give its --encoding"
    )


def _readings(sample: bytes) -> dict[str, str]:
    """Return the possible texts, the least messy first, each with its most usual encoding."""
    from charset_normalizer import from_bytes

    matches = [(match, name) for match in from_bytes(sample) if (name := _usual_name(match))]
    least = min((match.chaos for match, _ in matches), default=0.0)
    possible = [(match, name) for match, name in matches if match.chaos <= least + LEEWAY]
    most = max((match.coherence for match, _ in possible), default=0.0)
    possible = [(match, name) for match, name in possible if match.coherence >= most - WORDS_LEEWAY]
    possible.sort(key=lambda one: (one[0].chaos, USUAL.index(one[1])))
    return {str(match): name for match, name in possible}


def _usual_name(match: "CharsetMatch") -> str | None:
    names = {match.encoding, *match.could_be_from_charset}
    return next((name for name in USUAL if name in names), None)


def _odd_cell(text: str) -> str:
    found = ODD.search(text)
    return repr(found[0].strip()[:30]) if found else "?"
