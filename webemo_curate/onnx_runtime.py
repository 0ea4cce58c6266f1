"""Open ONNX Runtime sessions with its telemetry off.

From version 1.32 on, its wheels send device, paths and operating system to their maker, and write
`.ses` into the temporary folder when they are loaded. The package's `__init__` sets the variable
that prevents both, before anything can load the library.
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
        How the session runs.

    Returns
    -------
    onnxruntime.InferenceSession
        The session, ready to run.
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
