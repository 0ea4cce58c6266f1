"""Pixels for training: decoded once, packed, and prefetched in an order set by the seed."""
