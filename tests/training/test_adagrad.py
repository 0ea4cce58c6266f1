"""Adagrad is Keras's."""

import numpy as np
import torch

from webemo_curate.training.adagrad import KerasAdagrad


def test_equals_keras_formula_over_100_steps() -> None:
    generator = np.random.default_rng(0)
    weight = generator.normal(size=7)
    parameter = torch.nn.Parameter(torch.tensor(weight))
    optimizer = KerasAdagrad([parameter], lr=0.002)
    accumulator = np.full(7, 0.1)
    for _ in range(100):
        gradient = generator.normal(size=7)
        accumulator = accumulator + gradient**2
        weight = weight - 0.002 * gradient / np.sqrt(accumulator + 1e-7)
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
    np.testing.assert_allclose(parameter.detach().numpy(), weight, atol=1e-6, rtol=0)


def test_first_step_is_far_smaller_than_torchs() -> None:
    ours, theirs = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    for parameter in (ours, theirs):
        parameter.grad = torch.tensor([1e-3])
    KerasAdagrad([ours], lr=0.002).step()
    torch.optim.Adagrad([theirs], lr=0.002).step()
    assert abs(ours.item()) < abs(theirs.item()) / 100
