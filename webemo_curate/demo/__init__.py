"""The demo's world: drawn pictures, served on loopback as WEBEmo's lists name them."""

from webemo_curate.demo.server import demo_world

__all__ = ["demo_world"]
