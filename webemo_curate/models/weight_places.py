"""The places of pretrained weights on this machine."""

import os
from pathlib import Path


def kept_weights(backbone: str) -> Path:
    """Return where `curate get-weights timm` keeps the weights of a backbone.

    Parameters
    ----------
    backbone : str
        timm's name and tag.

    Returns
    -------
    Path
        Below `$XDG_CACHE_HOME` or `~/.cache`; it may not be there.
    """
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "webemo_curate" / "weights" / f"{backbone}.safetensors"
