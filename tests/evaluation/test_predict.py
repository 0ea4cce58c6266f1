"""`curate predict` draws captioned pictures and where the network looked."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.e2e.conftest import curate
from tests.trainable import TINY, draw
from webemo_curate.evaluation.predict import Prediction, predict
from webemo_curate.models.gradcam import class_activation
from webemo_curate.models.registry import build_network
from webemo_curate.report.prediction_row import Panel, draw_row
from webemo_curate.workspace import Workspace


@pytest.mark.parametrize("target", [0, 1])
def test_grad_cam_is_its_definition(target: int) -> None:
    torch.manual_seed(0)
    network = build_network(TINY.model_copy(update={"grams": 0})).eval()
    images = torch.rand(1, 3, 64, 64)

    maps = network.backbone.forward_features(network.normalise(images)).detach().requires_grad_()
    logit = network.output(network.main(maps.mean(dim=(2, 3))))[0, target]
    (gradient,) = torch.autograd.grad(logit, maps)
    weighted = (gradient.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1).clamp(min=0)[0].detach()

    found = class_activation(network, images, target)
    assert found.shape == (64, 64)
    assert found.dtype == np.float32
    if weighted.max() == 0:
        assert not found.any()
        return
    # Bilinear scaling of 2 x 2 maps leaves the corners as they are.
    corners = found[[0, 0, -1, -1], [0, -1, 0, -1]]
    expected = (weighted / weighted.max()).flatten().numpy()
    np.testing.assert_allclose(corners, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_a_row_is_drawn_with_and_without_activations(
    trained: tuple[Workspace, Path], tmp_path: Path
) -> None:
    workspace, run = trained
    files = [tmp_path / f"{number}.png" for number in range(3)]
    for number, file in enumerate(files):
        draw(file, number % 2, np.random.default_rng(number))
    command = ["predict", run.name, *files, "--workspace", workspace.root]

    plain, looked = tmp_path / "plain.png", tmp_path / "looked.png"
    lines = curate(*command, "--figure", plain).splitlines()
    assert len([line for line in lines if line.count("\t") == 2]) == len(files)
    assert any(str(plain) in line for line in lines)
    curate(*command, "--figure", looked, "--grad-cam")
    with Image.open(plain) as one, Image.open(looked) as two:
        assert one.width == two.width > 3 * 256
        assert two.height > one.height + 250
        assert len(set(one.convert("L").tobytes())) > 20  # pictures, not an empty sheet


@pytest.mark.parametrize(
    ("confidence", "said"),
    [(0.999, "99.9 %"), (0.9996, "99.9 %"), (1.0, "100.0 %"), (0.57, "57.0 %")],
)
def test_what_is_not_certain_is_not_called_so(confidence: float, said: str) -> None:
    assert Prediction(None, "sadness", confidence, confidence, {}).caption == f"sadness {said}"


def test_captions_stand_above_their_pictures(tmp_path: Path) -> None:
    panel = Panel(Image.new("RGB", (256, 256), "red"), "sadness 99.9 %")
    draw_row([panel], tmp_path / "row.png")
    with Image.open(tmp_path / "row.png") as sheet:
        dark = np.argwhere(np.asarray(sheet.convert("RGB")).max(axis=2) < 100)
        red = np.argwhere(np.asarray(sheet.convert("HSV"))[..., 1] > 250)
    assert dark[:, 0].max() < red[:, 0].min()
    assert red[:, 0].max() - red[:, 0].min() == 255


def test_a_caption_names_the_class_and_its_own_probability(
    trained: tuple[Workspace, Path], tmp_path: Path
) -> None:
    _, run = trained
    draw(tmp_path / "x.png", 0, np.random.default_rng(0))
    (answer,) = predict(run, [tmp_path / "x.png"], "cpu")
    own = max(answer.probability, 1 - answer.probability)
    assert answer.caption == f"{answer.label} {own:.1%}".replace("%", " %")
    assert answer.activation is None
