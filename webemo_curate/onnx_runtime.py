"""ONNX Runtime's sessions, with its telemetry off.

From 1.32 on its wheels post device, paths and operating system to their maker, and write `.ses`
into the temporary folder when they are loaded. The package's `__init__` sets the variable that
keeps both from happening, before anything can load the library.
"""

from pathlib import Path
from typing import Any


def open_session(path: Path, options: Any = None) -> Any:
    """Open a network on the CPU.

    Parameters
    ----------
    path : Path
        An ONNX file.
    options : onnxruntime.SessionOptions, optional
        How it runs.

    Returns
    -------
    onnxruntime.InferenceSession
        Ready to run.
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
