"""What a machine needs besides the package: weights of networks, and whether all is there."""
