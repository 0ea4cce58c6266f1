"""The network is the paper's, to the digit."""

import pytest
import torch

from webemo_curate.training.model import GramEfficientNet, HeadOptions, gram_matrix

B2 = "tf_efficientnetv2_b2"


@pytest.mark.parametrize(
    ("grams", "parameters"),
    [
        (0, 8_924_136),
        (1, 8_945_080),
        (2, 9_203_072),
        (3, 9_461_064),
        (4, 9_719_056),
        (5, 9_977_048),
    ],
)
def test_parameter_counts(grams: int, parameters: int) -> None:
    model = GramEfficientNet(B2, grams, 0.2, HeadOptions())
    assert sum(p.numel() for p in model.parameters()) == parameters


def test_tap_is_block3b_before_its_norm() -> None:
    model = GramEfficientNet(B2, 3, 0.2, HeadOptions()).eval()
    shapes = []
    model.gram_modules[0].register_forward_hook(
        lambda _module, inputs, _output: shapes.append([tuple(i.shape) for i in inputs])
    )
    with torch.inference_mode():
        logits = model(torch.zeros(1, 3, 256, 256))
    assert logits.shape == (1, 2)
    assert shapes == [[(1, 56, 32, 32), (1, 3136)]]


def test_gram_matrix_is_all_inner_products() -> None:
    features = torch.randn(2, 5, 4, 3)
    expected = torch.einsum("nchw,ndhw->ncd", features, features)
    torch.testing.assert_close(gram_matrix(features), expected)
    torch.testing.assert_close(gram_matrix(features, normalise=True), expected / 60)


def test_logits_depend_on_every_gram_module() -> None:
    model = GramEfficientNet(B2, 2, 0.0, HeadOptions(dropout=0.0))
    model(torch.rand(2, 3, 64, 64)).sum().backward()
    for module in model.gram_modules:
        assert module.compress.weight.grad is not None
        assert module.project.weight.grad.abs().sum() > 0
