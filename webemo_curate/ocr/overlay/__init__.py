"""Text drawn over photos: a network of our own, and the agreement of two networks."""
