"""The URLs of published weights, with their known digests."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from webemo_curate.credentials import without_credentials
from webemo_curate.models.weight_places import kept_weights
from webemo_curate.ocr.easyocr import weight_files
from webemo_curate.ocr.easyocr.weight_files import PUBLISHED, WeightFile

HUB: Final = "https://huggingface.co"
HUB_DIGEST: Final = "x-linked-etag"
"""The hub's header that holds the SHA-256 of a large file."""

WEIGHTS_FILE: Final = "model.safetensors"


@dataclass(frozen=True)
class WeightSource:
    """A published weight file.

    Attributes
    ----------
    url
        URL to download.
    target
        Path to install it at.
    digest
        Digest in hex; None if the publisher's response states it.
    algorithm
        Algorithm of the digest.
    member
        The wanted file in the archive; None if the download is the file itself.
    """

    url: str
    target: Path
    algorithm: str
    digest: str | None = None
    member: str | None = None


def easyocr_sources(models: Path | None, mirror: str | None = None) -> list[WeightSource]:
    """Return the sources of EasyOCR's two weight files.

    Parameters
    ----------
    models : Path, optional
        Folder to install them in; by default EasyOCR's own.
    mirror : str, optional
        A copy of the site that holds them: scheme, host and port, and a path prefix.

    Returns
    -------
    list of WeightSource
        Archives; the MD5 is that of the file inside, from easyocr's config.py.
    """
    folder = models or weight_files.first_place()
    return [_easyocr(weights, folder, mirror) for weights in PUBLISHED]


def timm_source(backbone: str, mirror: str | None = None) -> WeightSource:
    """Return the source of timm's weights of a backbone.

    Parameters
    ----------
    backbone : str
        timm's name and tag, such as `tf_efficientnetv2_b2.in1k`.
    mirror : str, optional
        A copy of the hub; by default `$HF_ENDPOINT`, or the hub.

    Returns
    -------
    WeightSource
        A file of tensors; the hub states its SHA-256.
    """
    import timm

    known = timm.models.get_pretrained_cfg(backbone)
    repository = known.hf_hub_id if known and known.hf_hub_id else f"timm/{backbone}"
    named = "--mirror" if mirror else "HF_ENDPOINT"
    base = without_credentials(mirror or os.environ.get("HF_ENDPOINT") or HUB, named).rstrip("/")
    url = f"{base}/{repository}/resolve/main/{WEIGHTS_FILE}"
    return WeightSource(url, kept_weights(backbone), "sha256")


def _easyocr(weights: WeightFile, folder: Path, mirror: str | None) -> WeightSource:
    url = weights.url
    if mirror:
        url = without_credentials(mirror, "--mirror").rstrip("/") + urlsplit(url).path
    return WeightSource(url, folder / weights.name, "md5", weights.md5, weights.name)
