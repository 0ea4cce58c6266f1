"""The state of an unfinished training: one file, replaced as a whole after each epoch."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from webemo_curate.atomic import atomic_path
from webemo_curate.training.adagrad import KerasAdagrad
from webemo_curate.training.model import GramEfficientNet
from webemo_curate.training.run import STATE_FILE

HISTORY = "history"


@dataclass
class State:
    """What training goes on from.

    Attributes
    ----------
    history
        Log entries of the finished epochs.
    best
        Weights of the best epoch on validation so far.
    threads
        CPU threads that the finished epochs were computed with; None before the first.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    threads: int | None = None

    @property
    def epochs(self) -> int:
        """Finished epochs."""
        return len(self.history)


def save_weights(path: Path, weights: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write tensors as safetensors, atomically."""
    with atomic_path(path) as partial:
        contiguous = {name: tensor.contiguous() for name, tensor in weights.items()}
        save_file(contiguous, partial, metadata)


def save_state(
    folder: Path, model: GramEfficientNet, optimizer: KerasAdagrad, state: State
) -> None:
    """Write model, optimizer, best weights and history in one atomic step.

    Parameters
    ----------
    folder : Path
        The run's folder.
    model : GramEfficientNet
        After the epoch.
    optimizer : KerasAdagrad
        Its accumulators.
    state : State
        Best weights and history.
    """
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        tensors[f"sum.{name}"] = optimizer.state[parameter]["sum"]
    tensors |= {f"best.{name}": tensor for name, tensor in state.best.items()}
    cloned = {name: tensor.detach().clone() for name, tensor in tensors.items()}
    save_weights(folder / STATE_FILE, cloned, {HISTORY: json.dumps([state.threads, state.history])})


def load_state(folder: Path, model: GramEfficientNet, optimizer: KerasAdagrad) -> State:
    """Restore what `save_state` wrote.

    Parameters
    ----------
    folder : Path
        The run's folder.
    model, optimizer
        Changed in place.

    Returns
    -------
    State
        Of no epochs if there is no readable file.
    """
    path = folder / STATE_FILE
    if not path.exists():
        return State()
    try:
        with safe_open(path, "pt") as file:
            threads, history = json.loads(file.metadata()[HISTORY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, ValueError):
        return State()  # not ours: training starts anew
    model.load_state_dict(_below("model.", tensors))
    for name, parameter in model.named_parameters():
        optimizer.state[parameter]["sum"].copy_(tensors[f"sum.{name}"])
    return State(history, _below("best.", tensors), threads)


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
