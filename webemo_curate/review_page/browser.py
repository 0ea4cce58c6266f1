"""The person's browser, opened at the page; a program in the terminal would stand in the way."""

import os
import sys
import threading
import webbrowser
from typing import Final

SCREENS: Final = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
"""Variables of which one says that a browser has a screen to open on."""


def open_browser(address: str) -> bool:
    """Open a page in the browser, without waiting for it.

    Parameters
    ----------
    address : str
        The page's.

    Returns
    -------
    bool
        Whether there is a screen to open it on.
    """
    if sys.platform == "linux" and not any(os.environ.get(name) for name in SCREENS):
        return False
    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    return True
