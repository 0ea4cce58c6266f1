"""Duplicates: Hamming search, clusters around keepers, groups of relatives."""
