"""Keras computes with torch here, which must be said before it is imported."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")
