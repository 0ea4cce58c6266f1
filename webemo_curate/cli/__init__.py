"""The `curate` command: a function a command, options made from the configuration.

A script calls it as `app(["fetch", "--workspace", "ws"], standalone_mode=False)`.
"""

from webemo_curate.cli.main import app, main

__all__ = ["app", "main"]
