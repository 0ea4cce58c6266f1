"""Load backbone weights from timm or a file, without unpickling code."""

import json
import logging
import os
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from webemo_curate.config import TrainConfig
from webemo_curate.errors import InputError
from webemo_curate.models.precision import CHANNELS
from webemo_curate.models.registry import Network, backbone_name
from webemo_curate.models.weight_places import kept_weights
from webemo_curate.remedies import typed
from webemo_curate.rooted import read_regular
from webemo_curate.system_faults import raise_system_fault

logger = logging.getLogger(__name__)

MAX_DESCRIPTION_BYTES = 2**20
"""Most bytes of a config.json; timm's have under a kilobyte."""

CLASSIFIERS = ("classifier.", "fc.")
"""ImageNet's classifier in EfficientNets and ResNets, which is not part of the backbone."""


def load_backbone(network: Network, config: TrainConfig) -> None:
    """Load the backbone's first weights.

    Parameters
    ----------
    network : Network
        Changed in place.
    config : TrainConfig
        `from_scratch`, `weights` and `backbone` decide.

    Raises
    ------
    InputError
        If weights are wanted but cannot be found, read or fitted; the message says where they come
        from.
    """
    if config.from_scratch:
        return
    name = backbone_name(config)
    state = read_weights(config.weights) if config.weights else _pretrained(name)
    backbone = {k: v for k, v in state.items() if not k.startswith(CLASSIFIERS)}
    _check_fit(network.backbone.state_dict(), backbone, str(config.weights or name))
    network.backbone.load_state_dict(backbone)
    declared = _declared_normalisation(config.weights) if config.weights else None
    if declared and config.normalisation == "weights":
        network.normalise.expect(*declared)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a checkpoint of tensors.

    Parameters
    ----------
    path : Path
        A `.safetensors` file, or a `.pth` file that holds only tensors.

    Returns
    -------
    dict of str to Tensor
        By parameter name, on the CPU.

    Raises
    ------
    InputError
        If it is missing, broken, or holds anything that could only be loaded by unpickling code.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # readers raise many kinds of errors on hostile files
        raise_system_fault(error, str(path))
        raise InputError(
            f"{path}: not a checkpoint of plain tensors ({type(error).__name__}); "
            "give a .safetensors file, or a .pth saved from a state_dict"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise InputError(f"{path}: holds no state_dict; save model.state_dict() and give that file")
    return state


def _declared_normalisation(weights: Path) -> tuple[list[float], list[float]] | None:
    """Return mean and deviation from timm's config.json beside a weights file; None without one.

    Model repositories on the Hugging Face hub hold both files. `pretrained_cfg` in config.json says
    how pixels were normalized when the weights were trained.
    """
    description = weights.with_name("config.json")
    try:
        said = json.loads(read_regular(description, MAX_DESCRIPTION_BYTES))
        said = said.get("pretrained_cfg", said)
        mean, deviation = ([float(level) for level in said[key]] for key in ("mean", "std"))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        raise_system_fault(error, str(description))
        logger.warning("%s: names no mean and std; those of the tag are taken", description)
        return None
    usable = len(mean) == len(deviation) == CHANNELS and all(level > 0 for level in deviation)
    return (mean, deviation) if usable else None


def _pretrained(backbone: str) -> dict[str, Tensor]:
    """Load timm's ImageNet weights from the hub's cache, or download them."""
    kept = kept_weights(backbone)
    if kept.is_file():
        logger.info("weights of %s: %s", backbone, kept)
        return read_weights(kept)
    import timm

    source = timm.models.get_pretrained_cfg(backbone)
    repository = source.hf_hub_id if source else backbone
    page = f"https://huggingface.co/{repository}"
    logger.info("weights of %s: from the Hugging Face hub's cache, or %s", backbone, page)
    # An unreachable hub must not make the user wait for minutes.
    os.environ.setdefault("HF_HUB_DOWNLOAD_TIMEOUT", "10")
    os.environ.setdefault("HF_HUB_ETAG_TIMEOUT", "10")
    try:
        state: dict[str, Tensor] = timm.create_model(
            backbone, pretrained=True, num_classes=0
        ).state_dict()
    except Exception as error:  # the hub's client raises many kinds of errors
        raise_system_fault(error)
        raise InputError(
            f"the pretrained weights of {backbone} cannot be had ({type(error).__name__}); "
            f"run '{typed('get-weights timm')}' where there is a network, or download "
            f"model.safetensors from {page} and give it with --weights FILE (in a pipeline or "
            "experiment file weights: FILE), or start from random weights with --from-scratch "
            "(from_scratch: true)"
        ) from error
    return state


def _check_fit(expected: dict[str, Tensor], given: dict[str, Tensor], origin: str) -> None:
    for name, tensor in expected.items():
        if name not in given:
            raise InputError(f"{origin}: has no '{name}': not weights of this backbone")
        if given[name].shape != tensor.shape:
            raise InputError(
                f"{origin}: '{name}' has shape {tuple(given[name].shape)}, "
                f"the backbone's is {tuple(tensor.shape)}"
            )
    unknown = sorted(set(given) - set(expected))
    if unknown:
        raise InputError(f"{origin}: has '{unknown[0]}', which the backbone has not")
