"""webemo_curate: dataset curation for visual emotion recognition, from image URLs to a network."""

from importlib.metadata import version

__version__ = version("webemo-curate")
