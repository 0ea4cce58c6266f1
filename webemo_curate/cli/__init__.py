"""The `curate` command: a function a command, options made from the configuration.

A script calls it as `app(["fetch", "--workspace", "ws"], standalone_mode=False)`.
"""

from webemo_curate.cli.command import app
from webemo_curate.cli.main import main

__all__ = ["app", "main"]
