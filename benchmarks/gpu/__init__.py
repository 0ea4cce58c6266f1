"""Checks that need a GPU; each runs as it is on a machine that has one."""
