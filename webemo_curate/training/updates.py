"""Make updates: whole ones as fast as the device allows, an uneven last one plainly."""

import logging
from typing import Any

import torch
from torch import Tensor, nn

from webemo_curate.config import TrainConfig
from webemo_curate.models.precision import CHANNELS
from webemo_curate.training.averaging import Averaging
from webemo_curate.training.distributed import ProcessGroup
from webemo_curate.training.optimizers import set_rate
from webemo_curate.training.update import EagerUpdate, Update
from webemo_curate.training.update_graph import GraphedUpdate

logger = logging.getLogger(__name__)


class Updates:
    """Makes updates, each in the way that fits its size.

    Parameters
    ----------
    config : TrainConfig
        Batch sizes, and whether graphs and compiling are wanted.
    objective : Module
        Network and loss, on their device and in training mode.
    optimizer : torch.optim.Optimizer
        Moves the objective's weights.
    averaging : Averaging or None
        The averaged weights.
    processes : ProcessGroup
        The processes that train together.
    """

    def __init__(
        self,
        config: TrainConfig,
        objective: nn.Module,
        optimizer: torch.optim.Optimizer,
        averaging: Averaging | None,
        processes: ProcessGroup,
    ) -> None:
        self._config, self._processes = config, processes
        self._optimizer, self._averaging = optimizer, averaging
        self._plain = EagerUpdate(
            objective, optimizer, averaging, config.accumulate // processes.size
        )
        self._whole_images = config.batch_size * config.accumulate
        self._whole: Update = self._plain
        self._current: Update = self._plain

    @property
    def sums(self) -> Tensor:
        """Return this process's summed loss and correct answers: float64, shape (2,)."""
        return self._plain.sums

    def prepare(self, images: int) -> None:
        """Compile and record a whole update, if this is wanted, possible and useful.

        Weights, statistics and the optimizer's state must be those that training continues from;
        they are left unchanged.

        Parameters
        ----------
        images : int
            Images of the training set.
        """
        if images < self._whole_images:
            return
        update = self._compiled() if self._config.compile else self._plain
        on_gpu = self.sums.device.type == "cuda"
        self._whole = self._recorded(update) if self._config.graphs and on_gpu else update

    def begin(self, images: int) -> None:
        """Begin an update over this many images, in all processes together."""
        self._current = self._whole if images == self._whole_images else self._plain
        self._current.clear(images)

    def add(self, pixels: Tensor, targets: Tensor) -> None:
        """Add a batch of this process.

        Parameters
        ----------
        pixels : Tensor, shape (N, 3, S, S), uint8
            On the device.
        targets : Tensor, shape (N,), int64
            On the device.
        """
        self._current.accumulate(pixels, targets)

    def end(self, rate: float) -> None:
        """Move the weights by the gradients of all processes, at this learning rate."""
        set_rate(self._optimizer, rate)
        self._processes.add_up(self._plain.gradients)
        self._current.move()
        if self._averaging:
            if self._averaging.begun:
                self._current.average()
            else:
                self._averaging.adopt()
            self._averaging.count()

    def _compiled(self) -> EagerUpdate:
        logger.info("the network is compiled, which takes a minute or two")
        update = self._plain.compiled(_compiler_options(self._config))
        try:
            with update.undone():
                update.clear(self._whole_images)
                update.accumulate(*self._any_batch())
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # compilers raise many kinds of errors
            logger.warning("the network is trained uncompiled: %s", _first_line(error))
            return self._plain
        return update

    def _recorded(self, update: EagerUpdate) -> Update:
        try:
            return GraphedUpdate(update, *self._any_batch(), self._whole_images)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            logger.warning("training goes on without CUDA graphs: %s", _first_line(error))
            return update

    def _any_batch(self) -> tuple[Tensor, Tensor]:
        count, side, device = self._config.batch_size, self._config.image_size, self.sums.device
        pixels = torch.randint(0, 256, (count, CHANNELS, side, side), dtype=torch.uint8)
        return pixels.to(device), torch.zeros(count, dtype=torch.int64, device=device)


def _compiler_options(config: TrainConfig) -> dict[str, Any]:
    """Return options for kernels not chosen by timing, if equal bits are wanted and supported."""
    from torch._inductor import config as compiler

    known = hasattr(compiler, "deterministic")
    return {"deterministic": True} if config.deterministic and known else {}


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
