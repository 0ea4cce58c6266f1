"""Paths of pretrained weights on this machine."""

from pathlib import Path

from webemo_curate.machine import cache_folder


def kept_weights(backbone: str) -> Path:
    """Return the path at which `curate get-weights timm` keeps a backbone's weights.

    Parameters
    ----------
    backbone : str
        timm's name and tag.

    Returns
    -------
    Path
        Under `$XDG_CACHE_HOME` or `~/.cache`; the file may not exist.
    """
    return cache_folder() / "webemo_curate" / "weights" / f"{backbone}.safetensors"
