"""The device that a benchmark was asked to use."""

import sys

import torch

from webemo_curate.errors import InputError
from webemo_curate.models.devices import choose_device


def asked_device(name: str) -> torch.device:
    """Return a device by its name; without one that can be used, say so and exit with code 2."""
    try:
        return choose_device(name)
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
