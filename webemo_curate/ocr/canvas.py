"""Compute the size at which an image is shown to a detection network."""

STRIDE = 32
"""The detection networks halve their input five times."""

MAX_ASPECT = 8
"""Most short sides that a canvas is long, so that a very long image cannot fill the memory."""


def scale_for(width: int, height: int, short_side: int) -> float:
    """Return the factor that scales an image's short side to the wanted length.

    Parameters
    ----------
    width, height : int
        The image's size in pixels.
    short_side : int
        Wanted length of the short side in pixels.

    Returns
    -------
    float
        Smaller if the long side would otherwise exceed `MAX_ASPECT` short sides.
    """
    return min(short_side / min(width, height), MAX_ASPECT * short_side / max(width, height))
