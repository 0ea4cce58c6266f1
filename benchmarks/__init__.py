"""Measurements beside named rivals; nothing here is a test."""
