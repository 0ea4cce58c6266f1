"""The engine is chosen by what is asked for and what is here, and says why."""

import subprocess
import sys

import pytest
import torch

from webemo_curate.config import FilterTextConfig
from webemo_curate.errors import InputError
from webemo_curate.ocr import selection as choose_module
from webemo_curate.ocr.easyocr.weight_files import PUBLISHED
from webemo_curate.ocr.selection import choose_engine


@pytest.fixture(autouse=True)
def no_weights_of_the_user(monkeypatch, tmp_path):
    monkeypatch.delenv("EASYOCR_MODULE_PATH", raising=False)
    monkeypatch.delenv("MODULE_PATH", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def models(tmp_path):
    for weights in PUBLISHED:
        (tmp_path / weights.name).write_bytes(b"found by name; checked when loaded")
    return tmp_path


@pytest.fixture
def gpu(monkeypatch, request):
    """Whether torch says that there is a GPU."""
    monkeypatch.setattr(choose_module, "_driver_is_here", lambda: request.param)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: request.param)


without_gpu = pytest.mark.parametrize("gpu", [False], indirect=True)
with_gpu = pytest.mark.parametrize("gpu", [True], indirect=True)


def choose(**options):
    choice = choose_engine(FilterTextConfig(**options))
    return choice.engine, choice.device


@pytest.mark.usefixtures("gpu")
@with_gpu
def test_auto_takes_the_gpu_where_everything_for_it_is_here(models):
    assert choose(models=models) == ("easyocr", "gpu")
    assert choose(models=models, device="gpu") == ("easyocr", "gpu")
    assert choose(models=models, device="cpu") == ("rapidocr", "cpu")


@pytest.mark.usefixtures("gpu")
@with_gpu
def test_a_gpu_runs_rapidocrs_networks_where_easyocrs_are_missing():
    for options in ({}, {"device": "gpu"}, {"engine": "rapidocr"}):
        assert choose(**options) == ("rapidocr", "gpu")
    assert "curate get-weights easyocr" in choose_engine(FilterTextConfig()).reason
    assert choose(engine="rapidocr", device="cpu") == ("rapidocr", "cpu")


@pytest.mark.usefixtures("gpu")
@without_gpu
def test_auto_takes_rapidocr_on_a_cpu_and_says_why(models):
    choice = choose_engine(FilterTextConfig(models=models))

    assert (choice.engine, choice.device) == ("rapidocr", "cpu")
    assert "GPU" in choice.reason


@pytest.mark.usefixtures("gpu")
@without_gpu
def test_a_clusters_gpu_is_taken_when_it_is_asked_for(models):
    for engine, expected in (("auto", "easyocr"), ("easyocr", "easyocr"), ("rapidocr", "rapidocr")):
        config = FilterTextConfig(engine=engine, device="gpu", models=models)
        choice = choose_engine(config, elsewhere=True)
        assert (choice.engine, choice.device) == (expected, "gpu")
    careful = choose_engine(FilterTextConfig(models=models), elsewhere=True)
    assert careful.device == "cpu"
    assert "--gpu" in careful.reason


@pytest.mark.usefixtures("gpu")
@without_gpu
def test_a_gpu_asked_for_and_missing_is_an_error(models):
    for engine in ("auto", "easyocr", "rapidocr"):
        with pytest.raises(InputError, match="CUDA"):
            choose(engine=engine, device="gpu", models=models)


@pytest.mark.usefixtures("gpu")
@without_gpu
def test_easyocr_runs_on_a_cpu_when_asked_for(models):
    assert choose(engine="easyocr", device="cpu", models=models) == ("easyocr", "cpu")
    slow = choose_engine(FilterTextConfig(engine="easyocr", models=models))
    assert slow.device == "cpu"
    assert "slow" in slow.reason


@pytest.mark.parametrize("options", [{}, {"device": "gpu"}])
def test_missing_weight_files_are_an_error_that_says_where_to_get_them(options):
    with pytest.raises(InputError, match=r"craft_mlt_25k\.pth.*https://.*--models"):
        choose(engine="easyocr", **options)


def test_torch_is_not_imported_to_choose_a_cpu_engine():
    program = (
        "import sys\n"
        "from webemo_curate.config import FilterTextConfig\n"
        "from webemo_curate.ocr.selection import choose_engine\n"
        "choose_engine(FilterTextConfig(device='cpu'))\n"
        "sys.exit('torch' if 'torch' in sys.modules else None)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
