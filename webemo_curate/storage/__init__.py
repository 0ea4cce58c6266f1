"""Store a workspace's bytes in a folder or an object store, behind one protocol."""
