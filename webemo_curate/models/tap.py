"""The shallow feature map that Gram modules use: a block's projection, before its batch norm.

Blocks have Keras's names: `block3b` is the second of stage 3, timm's `blocks[2][1]`.
"""

from typing import Any

from torch import Tensor

from webemo_curate.errors import InputError

Place = tuple[int, int]
"""Stage and position of a block, both from 0 as in timm."""


def block_name(place: Place) -> str:
    """Return Keras's name of a block."""
    stage, position = place
    return f"block{stage + 1}{chr(ord('a') + position)}"


def find_tap(backbone: Any, name: str) -> Place:
    """Find a block by its Keras name.

    Parameters
    ----------
    backbone : Module
        timm's EfficientNetV2.
    name : str
        Such as `block3b`.

    Returns
    -------
    tuple of int
        Stage and position.

    Raises
    ------
    InputError
        If the backbone has no such block; the message names the last block of each stage.
    """
    lengths = [len(stage) for stage in backbone.blocks]
    places = {
        block_name((stage, position)): (stage, position)
        for stage, length in enumerate(lengths)
        for position in range(length)
    }
    if name not in places:
        last = ", ".join(block_name((stage, length - 1)) for stage, length in enumerate(lengths))
        raise InputError(
            f"--tap {name}: the backbone's stages end with {last}; name one up to them"
        )
    return places[name]


def tap_channels(backbone: Any, place: Place) -> int:
    """Return C, the channels of the tapped feature map."""
    return int(_projection(backbone.blocks[place[0]][place[1]]).out_channels)


def run_tapped(block: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    """Run a timm block, and return its projection too.

    Parameters
    ----------
    block : Module
        ConvBnAct, EdgeResidual (Fused-MBConv) or InvertedResidual (MBConv).
    x : Tensor, shape (N, C, H, W)
        The block's input.

    Returns
    -------
    out : Tensor
        The block's usual output.
    tap : Tensor
        The block's projection.
    """
    if hasattr(block, "conv_dw"):
        expanded = block.bn2(block.conv_dw(block.bn1(block.conv_pw(x))))
        tap = block.conv_pwl(block.se(block.aa(expanded)))
        out = block.bn3(tap)
    elif hasattr(block, "conv_exp"):
        tap = block.conv_pwl(block.se(block.aa(block.bn1(block.conv_exp(x)))))
        out = block.bn2(tap)
    else:
        tap = block.conv(x)
        out = block.aa(block.bn1(tap))
    return (block.drop_path(out) + x if block.has_skip else out), tap


def _projection(block: Any) -> Any:
    return block.conv_pwl if hasattr(block, "conv_pwl") else block.conv
