"""Decisions of people on pictures: an input that every run honors, never derived."""
