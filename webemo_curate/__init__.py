"""Dataset curation for visual emotion recognition: from image URLs to an audited, trained network.

The public surface is what this module names; everything else may change without notice. Each name
is loaded when it is first used: importing the package loads neither pandas nor torch.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from webemo_curate.api import CuratedWorkspace, TrainedNetwork, load_network, open_workspace

__version__ = "0.1.0"
__all__ = ["CuratedWorkspace", "TrainedNetwork", "__version__", "load_network", "open_workspace"]


# ONNX Runtime and the hub's client read these when they are loaded. Without them, the former
# reports to its maker, and the latter sends a list of installed packages with each request.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("webemo_curate.api"), name)
    raise AttributeError(f"module 'webemo_curate' has no attribute '{name}'")
