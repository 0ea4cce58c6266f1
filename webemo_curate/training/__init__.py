"""Training: from split manifests to a network."""
