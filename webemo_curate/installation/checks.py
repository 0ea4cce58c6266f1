"""The checks of `curate doctor`: what works on this machine, and how to mend the rest."""

import platform
import resource
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from webemo_curate import __version__
from webemo_curate.config import FetchConfig, OcrConfig, PipelineConfig
from webemo_curate.errors import CurateError, InputError
from webemo_curate.machine import free_memory, usable_cores, usable_memory
from webemo_curate.optional_packages import NEEDED_BY, missing_packages
from webemo_curate.remedies import typed
from webemo_curate.system_faults import OPEN_FILES, WORKING_MEMORY_BYTES

PYTHON = (3, 11)
NEEDED_OPEN_FILES = 1024
"""Open files needed: a fetch with the default number of connections opens several hundred."""

NEEDED_BYTES, COMFORTABLE_BYTES = 2**30, 15 * 10**9
"""Bytes of free disk: the least needed, and enough for WEBEmo's pictures with their packed
pixels."""

HOSTS = ("huggingface.co", "github.com", "raw.githubusercontent.com")
"""Hosts that publish weights and WEBEmo's lists."""


class State(StrEnum):
    """The result of a check."""

    WORKS = "works"
    COULD = "could be"
    FAILS = "fails"


@dataclass(frozen=True)
class Check:
    """One check and its result.

    Attributes
    ----------
    name
        What was checked.
    state
        `works`; `could be` if everything works without it; `fails` if something does not work.
    found
        What was found.
    remedy
        How to mend it; empty if nothing is needed.
    """

    name: str
    state: State
    found: str
    remedy: str = ""


def look_around(config: PipelineConfig, place: Path) -> Iterator[Check]:
    """Run the checks that need no network; nothing is downloaded or written.

    Parameters
    ----------
    config : PipelineConfig
        Names the network, the engine and the folder of weights to check.
    place : Path
        Folder of the workspace, or an existing folder above it.

    Yields
    ------
    Check
        The results, each as soon as it is known; torch is imported, which takes seconds.
    """
    yield _python()
    yield from _torch()
    yield _engine(config.filter_text.ocr)
    yield _easyocr(config.filter_text.ocr)
    yield _timm(config)
    yield _memory()
    yield _disk(place)
    yield _open_files()


def ask_hosts(hosts: tuple[str, ...]) -> Iterator[Check]:
    """Request the headers of hosts' front pages; only hosts that the user named.

    Parameters
    ----------
    hosts : tuple of str
        Names or URLs of the hosts.

    Yields
    ------
    Check
        One result for each host.
    """
    from webemo_curate.download.client import user_agent
    from webemo_curate.download.large_file import ask_about

    for host in hosts:
        url = host if "://" in host else f"https://{host}/"
        try:
            status = ask_about(url, user_agent(FetchConfig())).status
            yield Check("network", State.WORKS, f"{host} answers (HTTP {status})")
        except CurateError as error:
            remedy = "check the connection, the proxy variables (https_proxy) and certificates"
            yield Check("network", State.FAILS, f"{host} does not answer: {_reason(error)}", remedy)


def _python() -> Check:
    found = f"{platform.python_version()}, {platform.platform()}, webemo-curate {__version__}"
    if sys.version_info >= PYTHON:
        return Check("Python", State.WORKS, found)
    return Check("Python", State.FAILS, found, "install Python 3.11 or newer")


def _torch() -> Iterator[Check]:
    try:
        import torch
        import torchvision  # noqa: F401 - one that does not fit torch fails here
    except Exception as error:  # a broken installation raises many kinds of errors
        remedy = "install it anew: pip install --force-reinstall torch torchvision"
        yield Check("torch", State.FAILS, f"cannot be imported: {error}", remedy)
        return
    yield Check("torch", State.WORKS, torch.__version__)
    yield _cuda(torch)


def _cuda(torch: Any) -> Check:
    from webemo_curate.ocr.selection import missing_cuda

    missing = missing_cuda()
    if missing:
        remedy = "install an NVIDIA driver and a CUDA build of torch; a CPU does all of it, slower"
        return Check("CUDA", State.COULD, missing, remedy)
    cards = [torch.cuda.get_device_properties(n) for n in range(torch.cuda.device_count())]
    shown = ", ".join(f"{card.name} ({card.total_memory / 2**30:.0f} GiB)" for card in cards)
    return Check("CUDA", State.WORKS, f"{shown}; CUDA {torch.version.cuda}")


def _engine(config: OcrConfig) -> Check:
    """Set up the engine that would run, and let it read its own sample."""
    from webemo_curate.ocr.cascade import make_detector
    from webemo_curate.ocr.selection import choose_engine
    from webemo_curate.ocr.self_check import require_working

    try:
        choice = choose_engine(config)
        detector = make_detector(config, choice)
        detector.setup()
        require_working(detector)
    except CurateError as error:
        return Check("OCR", State.FAILS, _reason(error), "see the message; or --ocr rapidocr")
    found = f"{choice.engine} on {choice.device} reads its sample ({choice.reason})"
    return Check("OCR", State.WORKS, found)


def _easyocr(config: OcrConfig) -> Check:
    from webemo_curate.ocr.easyocr.weight_files import PUBLISHED, check, require_weights

    try:
        found = require_weights(config.models)
        for path, weights in zip(found, PUBLISHED, strict=True):
            check(path, weights)
    except InputError as error:
        remedy = f"{typed('get-weights easyocr')} (without them rapidocr reads)"
        return Check("EasyOCR's weights", State.COULD, _reason(error), remedy)
    places = ", ".join(map(str, found))
    return Check("EasyOCR's weights", State.WORKS, f"{places} (MD5 as published)")


def _timm(config: PipelineConfig) -> Check:
    from webemo_curate.models.registry import backbone_name
    from webemo_curate.models.weight_places import kept_weights

    name, train = "pretrained weights", config.train
    if train.weights:
        there = train.weights.is_file()
        state = State.WORKS if there else State.FAILS
        return Check(name, state, str(train.weights), "" if there else "name a file with --weights")
    backbone = backbone_name(train)
    remedy = f"{typed('get-weights timm')}; or --weights FILE; or --from-scratch"
    try:
        places = [kept_weights(backbone), *_hub_copies(backbone)]
    except InputError as error:
        return Check(name, State.COULD, f"{backbone}: {_reason(error)}", remedy)
    for place in places:
        if place.is_file():
            return Check(name, State.WORKS, f"{backbone}: {place}")
    looked = " and ".join(map(str, [places[0], "the Hugging Face hub's cache"]))
    return Check(name, State.COULD, f"{backbone}: not in {looked}", remedy)


def _hub_copies(backbone: str) -> list[Path]:
    """Return the file of a backbone in the hub's cache, if it exists."""
    import timm
    from huggingface_hub import try_to_load_from_cache

    known = timm.models.get_pretrained_cfg(backbone)
    if known is None or not known.hf_hub_id:
        return []
    found = try_to_load_from_cache(known.hf_hub_id, "model.safetensors")
    return [Path(found)] if isinstance(found, str) else []


def _memory() -> Check:
    free, whole = free_memory(), usable_memory()
    found = f"{usable_cores()} cores, {free / 2**30:.1f} of {whole / 2**30:.1f} GiB free"
    if free >= WORKING_MEMORY_BYTES:
        return Check("memory", State.WORKS, found)
    return Check("memory", State.FAILS, found, "end other programs: a large picture takes 2 GiB")


def _disk(place: Path) -> Check:
    free = shutil.disk_usage(place).free
    found = f"{free / 2**30:.1f} GiB free at {place}"
    if free < NEEDED_BYTES:
        return Check("disk", State.FAILS, found, "free some space, or name another --workspace")
    if free < COMFORTABLE_BYTES:
        whole = f"{COMFORTABLE_BYTES / 10**9:.0f} GB"
        remedy = f"enough for a set of your own; all of WEBEmo takes about {whole}"
        return Check("disk", State.COULD, found, remedy)
    return Check("disk", State.WORKS, found)


def _open_files() -> Check:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = soft == resource.RLIM_INFINITY
    found = "no limit" if unlimited else f"limit {soft:,} (raised as far as is allowed: {hard:,})"
    if unlimited or soft >= NEEDED_OPEN_FILES:
        return Check("open files", State.WORKS, found)
    return Check("open files", State.FAILS, found, f"raise the limit: ulimit -n {OPEN_FILES}")


def _reason(error: Exception) -> str:
    return str(error).partition("\n")[0]


def optional_packages() -> Check:
    """Check for the packages that some options need."""
    missing = missing_packages()
    if not missing:
        return Check("extras", State.WORKS, ", ".join(NEEDED_BY))
    options = ", ".join(f"{name} (for {NEEDED_BY[name]})" for name in missing)
    remedy = f"pip install {' '.join(missing)}"
    return Check("extras", State.COULD, f"not here: {options}", remedy)
