"""Politely download URLs within bounds; every URL gets a typed outcome."""
