"""Words drawn over photos: a network of our own, and where two networks agree."""
