"""Storage of a workspace's bytes: a folder, or a prefix of an object store, by one protocol."""
