"""Measure what no fetch can do without: requests, hashes and files, entropy decoding.

`benchmarks.fetch` runs this beside the commands: libcurl's own loop in one process and one thread,
32 requests at once, with no schedule, no robots.txt, no journal and no manifest.
"""

import hashlib
import io
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pycurl
from PIL import Image

Take = Callable[[bytes], None]


def floor(urls: list[str], folder: Path, at_once: int) -> dict[str, float]:
    """Return processor seconds for all URLs, by what is done with each body.

    Parameters
    ----------
    urls : list of str
        What to request; answers other than 200 are left.
    folder : Path
        Takes the files.
    at_once : int
        Requests under way.
    """
    for number in range(256):
        (folder / f"{number:02x}").mkdir(parents=True)
    steps: dict[str, list[Take]] = {
        "libcurl alone": [],
        "and SHA-256, a file, a rename": [lambda body: _store(folder, body)],
        "and a draft decoded": [lambda body: _store(folder, body, "b"), _decode],
    }
    return {name: _spent(urls, takes, at_once) for name, takes in steps.items()}


def _spent(urls: Iterable[str], takes: list[Take], at_once: int) -> float:
    before = time.process_time()
    _request(iter(urls), takes, at_once)
    return time.process_time() - before


def _request(urls: Iterable[str], takes: list[Take], at_once: int) -> None:
    """Request all URLs over kept connections."""
    multi, parts = pycurl.CurlMulti(), {}
    free = [pycurl.Curl() for _ in range(at_once)]
    left = iter(urls)
    while True:
        while free and (url := next(left, None)):
            curl = free.pop()
            curl.setopt(pycurl.URL, url)
            parts[curl] = []
            curl.setopt(pycurl.WRITEFUNCTION, parts[curl].append)
            multi.add_handle(curl)
        if len(free) == at_once:
            return
        multi.perform()
        _, good, bad = multi.info_read(at_once)
        for curl in (*good, *(failed for failed, *_ in bad)):
            multi.remove_handle(curl)
            free.append(curl)
            if curl.getinfo(pycurl.RESPONSE_CODE) == 200:
                body = b"".join(parts[curl])
                for take in takes:
                    take(body)
        if not good:
            multi.select(1.0)


def _store(folder: Path, body: bytes, suffix: str = "a") -> None:
    name = hashlib.sha256(body).hexdigest()
    partial = f"{folder}/{name[:2]}/.{name}{suffix}"
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    os.write(handle, body)
    os.close(handle)
    Path(partial).rename(f"{folder}/{name[:2]}/{name}{suffix}")


def _decode(body: bytes) -> None:
    picture = Image.open(io.BytesIO(body))
    picture.draft("RGB", (picture.width // 8, picture.height // 8))
    picture.load()
