"""One process a GPU that runs the networks, and processes around it that prepare its work."""
