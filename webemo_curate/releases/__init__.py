"""A set without its pictures, and how others rebuild it from that."""
