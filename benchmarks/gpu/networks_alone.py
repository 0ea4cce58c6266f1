"""Time each network of the text filter alone: step by step and as a graph, by size of batch."""

import argparse
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from webemo_curate.ocr.device_network import DeviceNetwork

CANVAS = (416, 640, 3)
"""The most common shape of photos' thumbnails (21 % of 1,075)."""
DRAWN_CANVAS = (256, 384, 3)
CROP = (48, 160, 3)


def networks(arguments: argparse.Namespace) -> None:
    """Measure each network alone."""
    import torch

    from webemo_curate.ocr.overlay.overlay_network import OVERLAY_TEXT
    from webemo_curate.ocr.rapidocr.rapidocr_networks import ANY_TEXT
    from webemo_curate.ocr.rapidocr.torch_networks import DetectionNetwork, RecognitionNetwork

    until = time.monotonic() + 0.9 * arguments.seconds
    device = torch.device(arguments.device)
    kinds: list[tuple[str, tuple[int, ...], Callable[[], DeviceNetwork]]] = [
        ("detection", CANVAS, lambda: DetectionNetwork(ANY_TEXT, device)),
        ("recognition", CROP, lambda: RecognitionNetwork(device)),
        ("drawn words", DRAWN_CANVAS, lambda: DetectionNetwork(OVERLAY_TEXT, device)),
    ]
    for name, shape, load in kinds:
        network = load()
        for entries in (8, 4, 16, 2, 64) if arguments.device == "cuda" else (1,):
            if time.monotonic() > until:
                return
            _network_alone(network, name, shape, entries, device)


def _network_alone(
    network: "DeviceNetwork", name: str, shape: tuple[int, ...], entries: int, device: object
) -> None:
    """Print how long a batch takes step by step and as a graph, and whether they agree."""
    import torch

    from webemo_curate.ocr.graphed import MET_BEFORE, Graphed, GraphShelf

    batch = torch.randint(0, 256, (entries, *shape), dtype=torch.uint8, device=str(device))
    shelf = GraphShelf()
    graphed = Graphed(network.run, name, shelf)
    with torch.inference_mode():
        expected = [each.clone() for each in network.run(batch)]
        for _ in range(MET_BEFORE + 1):
            found = graphed(batch)
        differs = max(
            float((one.float() - other.float()).abs().max())
            for one, other in zip(found, expected, strict=True)
        )
        steps, graph = (_milliseconds(call, batch) for call in (network.run, graphed))
    captured = "graph" if len(shelf) else "no graph"
    print(
        f"{name:<18} {entries:>3} of {shape}: step by step {steps:7.2f} ms, {captured} "
        f"{graph:7.2f} ms, {1000 * entries / graph:7.0f}/s; they differ by {differs:.1g}",
        flush=True,
    )


def _milliseconds(call: Callable[..., object], batch: object) -> float:
    """Return the median time of a call."""
    from webemo_curate.ocr.graphed import wait_for_device

    taken = []
    until = time.monotonic() + 0.3
    while not taken or (time.monotonic() < until and len(taken) < 50):
        wait_for_device()
        started = time.perf_counter()
        call(batch)
        wait_for_device()
        taken.append(time.perf_counter() - started)
    return 1000 * float(np.median(taken))
