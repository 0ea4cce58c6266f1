"""Paths of pretrained weights on this machine."""

import os
from pathlib import Path


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
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "webemo_curate" / "weights" / f"{backbone}.safetensors"
