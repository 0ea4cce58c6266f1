"""Save and restore an unfinished training: one file without code, replaced atomically."""

import json
import logging
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from webemo_curate.runs import LogEntry
from webemo_curate.storage.atomic import atomic_path
from webemo_curate.system_faults import raise_system_fault

logger = logging.getLogger(__name__)

PROGRESS = "progress"
NUMBERS = "numbers"


@dataclass
class Progress:
    """How far a training has got.

    Attributes
    ----------
    updates
        Finished updates in the current epoch.
    loss, right, seen
        Sums over the images of those updates.
    threads
        CPU threads of a process, which determine how sums are rounded; None before the first
        update.
    history
        Log entries of the finished epochs.
    """

    threads: int | None = None
    updates: int = 0
    loss: float = 0.0
    right: int = 0
    seen: int = 0
    history: list[LogEntry] = field(default_factory=list)

    @property
    def epochs(self) -> int:
        """Number of finished epochs."""
        return len(self.history)

    def advance(self, images: int) -> None:
        """Count a finished update of this many images."""
        self.updates, self.seen = self.updates + 1, self.seen + images

    def end_epoch(self, entry: LogEntry) -> None:
        """Log a finished epoch and start the next."""
        self.history.append(entry)
        self.updates, self.loss, self.right, self.seen = 0, 0.0, 0, 0


def save_weights(path: Path, weights: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write tensors as safetensors, atomically."""
    with atomic_path(path) as partial:
        # Each tensor needs contiguous memory of its own: the format refuses tensors that share it.
        copies = {name: tensor.detach().contiguous().clone() for name, tensor in weights.items()}
        save_file(copies, partial, metadata)


def save_state(
    path: Path,
    modules: dict[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    best: dict[str, Tensor],
    progress: Progress,
) -> None:
    """Write everything that a resumed training needs, in one atomic step.

    Parameters
    ----------
    path : Path
        The state file.
    modules : dict of str to Module
        Modules with weights, by name.
    optimizer : torch.optim.Optimizer
        Its accumulators and counters are stored.
    best : dict of str to Tensor
        Weights of the best epoch so far.
    progress : Progress
        How far the training has got.
    """
    tensors = {f"best/{name}": tensor for name, tensor in best.items()}
    for prefix, module in modules.items():
        tensors |= {f"{prefix}/{name}": value for name, value in module.state_dict().items()}
    numbers = {}
    for index, entries in optimizer.state_dict()["state"].items():
        for name, value in entries.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer/{index}/{name}"] = value
            elif value is not None:
                numbers[f"{index}/{name}"] = value
    metadata = {PROGRESS: json.dumps(asdict(progress)), NUMBERS: json.dumps(numbers)}
    save_weights(path, tensors, metadata)


def load_state(
    path: Path, modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer
) -> tuple[dict[str, Tensor], Progress]:
    """Restore what `save_state` wrote.

    Parameters
    ----------
    path : Path
        The state file.
    modules, optimizer
        Changed in place.

    Returns
    -------
    best : dict of str to Tensor
        Weights of the best epoch so far.
    progress : Progress
        Empty if there is no valid state file; an invalid one is named in the log.
    """
    if not path.exists():
        return {}, Progress()
    before = deepcopy(optimizer.state_dict()), deepcopy(_weights(modules))
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
            # Copied into torch's own aligned memory, because kernels may round by a tensor's
            # alignment.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        progress = Progress(**json.loads(metadata[PROGRESS]))
        numbers = json.loads(metadata[NUMBERS])
        for prefix, module in modules.items():
            module.load_state_dict(_below(prefix, tensors))
        _load_optimizer(optimizer, _below("optimizer", tensors) | numbers)
    except (SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
        optimizer.load_state_dict(before[0])
        for prefix, module in modules.items():
            module.load_state_dict(before[1][prefix])
        raise_system_fault(error, str(path))
        logger.warning("%s: not a sound state (%s); training starts anew", path, error)
        return {}, Progress()
    return _below("best", tensors), progress


def _weights(modules: dict[str, nn.Module]) -> dict[str, dict[str, Tensor]]:
    return {name: module.state_dict() for name, module in modules.items()}


def _load_optimizer(optimizer: torch.optim.Optimizer, flat: dict[str, Any]) -> None:
    state: dict[int, dict[str, Any]] = {}
    for key, value in flat.items():
        index, name = key.split("/")
        state.setdefault(int(index), {})[name] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(f"{prefix}/"): tensor
        for name, tensor in tensors.items()
        if name.startswith(f"{prefix}/")
    }
