"""Choose the device to compute on, and log why."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch

from webemo_curate.errors import InputError
from webemo_curate.machine import usable_cores

logger = logging.getLogger(__name__)


def choose_device(wanted: str) -> torch.device:
    """Return the device to compute on.

    Parameters
    ----------
    wanted : {'auto', 'cpu', 'cuda'}
        The user's choice.

    Returns
    -------
    torch.device
        The first CUDA GPU, or the CPU.

    Raises
    ------
    InputError
        If CUDA is requested but not available: there is never a silent fallback.
    """
    require_device(wanted)
    chosen = torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")
    _say(chosen.type, wanted)
    return chosen


def require_device(wanted: str) -> None:
    """Raise, before long work, if a device is wanted that is not here; see `choose_device`."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "--device cuda: no CUDA device is usable here; check 'nvidia-smi', or use --device cpu"
        )


@cache  # cached, so that a command that trains and then measures logs it once
def _say(chosen: str, wanted: str) -> None:
    why = "as asked for" if wanted != "auto" else "a GPU is here" if chosen == "cuda" else "no GPU"
    logger.info("device: %s (%s)", chosen, why)


def make_reproducible(device: torch.device, *, deterministic: bool) -> None:
    """Choose kernels that give equal bits in every run, or the fastest ones.

    Parameters
    ----------
    device : torch.device
        CUDA has a choice of kernels; on the CPU only the number of threads matters.
    deterministic : bool
        Whether equal bits are wanted.
    """
    if device.type != "cuda":
        return
    # cuBLAS reads this variable when it is first used.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(deterministic, warn_only=True)
    # No code here reads uninitialized memory, so filling it would only take time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = not deterministic


@contextmanager
def cpu_threads(count: int | None, processes: int = 1) -> Iterator[int]:
    """Compute with a fixed number of CPU threads while the block runs.

    The number of threads changes the order of sums and so their rounding. A training that resumes
    after a kill must therefore use the number that it began with.

    Parameters
    ----------
    count : int or None
        Number of threads; None for every core this process may use.
    processes : int, default 1
        Processes that share these cores.

    Yields
    ------
    int
        The number of threads used.
    """
    before, cores = torch.get_num_threads(), usable_cores()
    chosen = count or max(1, cores // processes)
    torch.set_num_threads(chosen)
    try:
        yield chosen
    finally:
        torch.set_num_threads(before)
