"""Augment images on the device."""
