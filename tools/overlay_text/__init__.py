"""Fit the network of overlay text, from made-up pictures alone."""
