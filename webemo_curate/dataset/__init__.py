"""Pixels for training: decoded once, packed, prefetched in the order that a seed decides."""
