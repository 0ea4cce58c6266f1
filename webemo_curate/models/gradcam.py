"""Grad-CAM: maps of where a network looked (Selvaraju et al., ICCV 2017, equations 1 and 2)."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its customary name
from numpy.typing import NDArray
from torch import Tensor

from webemo_curate.models.registry import Network


def class_activation(network: Network, images: Tensor, target: int) -> NDArray[np.float32]:
    """Weight the last feature maps by the gradient of one class's logit.

    Parameters
    ----------
    network : Network
        In evaluation mode.
    images : Tensor, float32, shape (1, 3, S, S)
        One picture, 0 to 1.
    target : int
        Number of the class.

    Returns
    -------
    ndarray of float32, shape (S, S)
        From 0 to 1, where the network saw most evidence for the class; all zeros if it saw none.
    """
    kept: list[Tensor] = []
    pooled = network.backbone.get_submodule(network.last_feature_layer)
    hook = pooled.register_forward_hook(lambda *call: kept.append(call[2]))
    try:
        with torch.enable_grad():
            # With a frozen backbone, the maps get a gradient only if the picture has one.
            logits = network(images.clone().requires_grad_())
            (gradient,) = torch.autograd.grad(logits[0, target], kept[0])
    finally:
        hook.remove()
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    maps = F.relu((weights * kept[0]).sum(dim=1, keepdim=True))
    side = images.shape[-2:]
    scaled = F.interpolate(maps.detach(), size=side, mode="bilinear", align_corners=False)[0, 0]
    strongest = float(scaled.max())
    found: NDArray[np.float32] = scaled.float().cpu().numpy()
    return found / np.float32(strongest) if strongest else found
