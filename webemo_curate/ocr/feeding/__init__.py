"""Feed a GPU: one process runs the networks, and helper processes prepare its work."""
