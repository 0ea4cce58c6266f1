"""The demo's world: drawn pictures, served on loopback under URLs in WEBEmo's form."""

from webemo_curate.demo.server import demo_world

__all__ = ["demo_world"]
