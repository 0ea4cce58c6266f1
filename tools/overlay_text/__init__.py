"""How the network of overlay text is fitted, from made-up pictures alone."""
