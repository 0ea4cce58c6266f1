"""Which pictures are the same: Hamming search, clusters around keepers, groups of relatives."""
