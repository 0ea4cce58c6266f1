"""The size in which an image is shown to a detection network."""

STRIDE = 32
"""The detection networks halve their input five times."""

LONGEST_ASPECT = 8
"""A canvas is at most this many short sides long, so that a ribbon cannot fill the memory."""


def scale_for(width: int, height: int, short_side: int) -> float:
    """Return the factor that brings an image's short side to the wanted length.

    Parameters
    ----------
    width, height : int
        The image's size in pixels.
    short_side : int
        Pixels its short side is scaled to.

    Returns
    -------
    float
        Less where the long side would exceed `LONGEST_ASPECT` short sides.
    """
    return min(short_side / min(width, height), LONGEST_ASPECT * short_side / max(width, height))
