"""Check a machine's installation, and install the weights of networks."""
