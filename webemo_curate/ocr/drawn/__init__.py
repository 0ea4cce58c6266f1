"""How the network that finds words drawn over photos is fitted, from made-up pictures alone.

Nothing here is imported when images are filtered: `rapid_networks` reads the fitted file.
"""
