"""Downloading: polite, bounded, and with a typed outcome for every URL."""
