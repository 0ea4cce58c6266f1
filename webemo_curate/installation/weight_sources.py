"""The places where weights are published, with the digests that are known of them."""

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
    """A file of weights.

    Attributes
    ----------
    url
        Where it is had.
    target
        The file that it becomes.
    digest
        In hex; None where its publisher's answer says it.
    algorithm
        Of the digest.
    member
        File of the archive that is wanted; None where the download is that file itself.
    """

    url: str
    target: Path
    algorithm: str
    digest: str | None = None
    member: str | None = None


def easyocr_sources(models: Path | None, mirror: str | None = None) -> list[WeightSource]:
    """Return EasyOCR's two weight files.

    Parameters
    ----------
    models : Path, optional
        Folder for them; default EasyOCR's own.
    mirror : str, optional
        A copy of the site that holds them: scheme, host and port, and a path before theirs.

    Returns
    -------
    list of WeightSource
        Archives; the MD5 is of the file within, as easyocr's config.py gives it.
    """
    folder = models or weight_files.first_place()
    return [_easyocr(weights, folder, mirror) for weights in PUBLISHED]


def timm_source(backbone: str, mirror: str | None = None) -> WeightSource:
    """Return timm's weights of a backbone.

    Parameters
    ----------
    backbone : str
        Name and tag, such as `tf_efficientnetv2_b2.in1k`.
    mirror : str, optional
        A copy of the hub; default `$HF_ENDPOINT`, or the hub.

    Returns
    -------
    WeightSource
        A file of tensors; the hub says its SHA-256.
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
