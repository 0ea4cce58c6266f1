"""Where a workspace's bytes lie: a folder, or a prefix of an object store, behind one protocol."""
