"""Train networks on the split manifests."""
