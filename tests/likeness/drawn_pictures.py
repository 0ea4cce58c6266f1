"""A workspace of drawn scenes, each also as a paler, smaller copy."""

import io
from pathlib import Path

import numpy as np
from PIL import ImageEnhance

from tests.stages.tables import manifest
from webemo_curate.demo.scenes import draw_scene
from webemo_curate.duplicates.perceptual import reduce_color, reduce_gray
from webemo_curate.manifest import Origin
from webemo_curate.taxonomies.webemo_labels import LABELS
from webemo_curate.workspace import Workspace

SCENES = 30


def drawn_pictures(root: Path) -> Workspace:
    """Store the pictures, their manifest, and a broken one; `pairs.txt` names scene and copy."""
    workspace, rng = Workspace(root), np.random.default_rng(1)
    rows = []
    for number in range(SCENES):
        scene = draw_scene(LABELS[number % len(LABELS)], rng)
        paler = ImageEnhance.Color(scene.resize((200, 147))).enhance(0.8)
        for picture in (scene, paler):
            stream = io.BytesIO()
            picture.save(stream, "PNG")
            sha256 = workspace.store_image(stream.getvalue(), ".png")
            rows.append(
                {
                    "sha256": sha256,
                    "path": workspace.image_path(sha256, ".png"),
                    "gray": reduce_gray(picture)[0].tobytes(),
                    "color": reduce_color(picture).tobytes(),
                }
            )
    names = [row["sha256"] for row in rows]
    pairs = zip(names[::2], names[1::2], strict=True)
    (root / "pairs.txt").write_text("".join(f"{one} {other}\n" for one, other in pairs))
    broken = {"sha256": "f" * 64, "decode_status": "corrupt", "gray": None, "color": None}
    table = manifest("images", [*rows, broken])
    workspace.write("images", table, Origin("drawn", 1, {}, {}))
    return workspace
