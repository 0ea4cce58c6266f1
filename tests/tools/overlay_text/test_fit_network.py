"""Fitting learns where words are, and what is written is what was fitted."""

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch

from tests.tools.overlay_text.test_samples import TYPEFACES
from tools.overlay_text.fit_network import FitSettings, fit, main, words_loss
from tools.overlay_text.sample_files import Dataset
from tools.overlay_text.samples import EITHER, WORDS, make_sample
from tools.overlay_text.words_network import OUTPUT, WordsNetwork, save
from webemo_curate.ocr.rapidocr.onnx_network import OnnxNetwork

SETTINGS = FitSettings(steps=40, batch_size=8)


@pytest.fixture(scope="module")
def dataset():
    """Return eight pictures with words on plain ground."""
    random = np.random.default_rng(0)
    samples = []
    while len(samples) < SETTINGS.batch_size:
        ground = np.full((256, 256, 3), random.integers(40, 216), np.uint8)
        sample = make_sample(random, [ground], TYPEFACES)
        samples += [sample] if (sample.target == WORDS).any() else []
    return Dataset(*(np.stack(each) for each in zip(*samples, strict=True)))


def scores(path, pictures):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (found,) = session.run([OUTPUT], {session.get_inputs()[0].name: pictures})
    return found


@pytest.mark.slow
def test_a_fitted_network_scores_words_higher_than_the_rest(dataset, tmp_path):
    network = fit(dataset, SETTINGS)
    path = tmp_path / "words.onnx"

    save(network, path)

    normal = (dataset.pictures[..., ::-1].transpose(0, 3, 1, 2) / np.float32(255) - 0.5) / 0.25
    found = scores(path, normal.astype(np.float32))[:, 0, ::4, ::4]
    assert found[dataset.targets == WORDS].mean() > 2 * found[dataset.targets == 0].mean()


@pytest.mark.slow
def test_what_is_written_runs_alike_in_both_runtimes_at_any_size(tmp_path):
    path = tmp_path / "words.onnx"
    network = WordsNetwork().eval()
    pictures = torch.randn(2, 3, 96, 160, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = network(pictures).sigmoid()

    save(network, path)

    found = scores(path, pictures.numpy())
    assert found.shape == (2, 1, 96, 160)
    assert np.allclose(found[..., 1::4, 1::4], expected, atol=1e-5)
    in_torch = OnnxNetwork(path, torch.device("cpu"))(pictures)
    assert np.allclose(in_torch, found, atol=1e-5)


def test_nothing_is_learned_where_it_is_all_one():
    targets = torch.full((1, 8, 8), EITHER, dtype=torch.uint8)
    targets[0, :2], targets[0, 6:] = 0, WORDS
    logits = torch.zeros(1, 8, 8, requires_grad=True)

    words_loss(logits, targets, SETTINGS).backward()

    assert (logits.grad[0, 2:6] == 0).all()
    assert (logits.grad[0, :2] > 0).all()
    assert (logits.grad[0, 6:] < 0).all()


def test_the_loss_of_a_right_map_is_small_and_of_a_wrong_one_large():
    targets = torch.zeros(2, 16, 16, dtype=torch.uint8)
    targets[:, 4:8] = WORDS
    right = torch.where(targets == WORDS, 12.0, -12.0)
    settings = replace(SETTINGS, min_negatives=10)

    assert words_loss(right, targets, settings) < 0.02
    assert words_loss(-right, targets, settings) > 20


@pytest.mark.slow
def test_the_command_writes_a_network(tmp_path, monkeypatch, capsys):
    output = tmp_path / "words.onnx"
    fonts = TYPEFACES.latin[0].parent
    sizes = ["--steps", "2", "--samples", "16", "--backgrounds", "4", "--without", "STIX", "cm"]
    monkeypatch.setattr("sys.argv", ["fit", str(output), "--fonts", str(fonts), *sizes])

    main()

    assert scores(output, np.zeros((1, 3, 64, 64), np.float32)).shape == (1, 1, 64, 64)

    monkeypatch.setattr("sys.argv", ["fit", str(output), "--fonts", str(tmp_path)])
    with pytest.raises(SystemExit):
        main()
    assert "no font file with Latin" in capsys.readouterr().err
