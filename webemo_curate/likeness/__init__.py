"""Pictures by likeness: how each looks, or what a trained network makes of it; the nearest."""
