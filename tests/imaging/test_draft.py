"""The draft by which a fetch reads a JPEG finds the same faults as decoding in full."""

import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from webemo_curate.imaging import DecodeError, check_body, choose_frame

MAX_PIXELS = 10**6
FILES, SIDE = 400, 96
FORMS = (
    ("RGB", {"quality": 90}),
    ("RGB", {"quality": 60, "subsampling": 0}),
    ("RGB", {"progressive": True}),
    ("RGB", {"restart_marker_rows": 1}),
    ("L", {"optimize": True}),
    ("CMYK", {"quality": 80}),
)


def drawn(mode: str, options: dict[str, object], rng: np.random.Generator) -> bytes:
    ramp = np.add.outer(np.arange(SIDE), np.arange(SIDE))
    gray = (ramp + rng.integers(0, 40, (SIDE, SIDE))).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(gray).convert("RGB").convert(mode).save(stream, "JPEG", **options)
    return stream.getvalue()


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """Cut a file, or change, zero, drop or repeat some of its bytes."""
    at = int(rng.integers(2, len(content)))
    size = int(rng.integers(1, 40))
    some = rng.integers(0, 256, size, dtype=np.uint8).tobytes()
    kinds = (
        content[:at],
        content[:at] + some + content[at + size :],
        content[:at] + bytes(size) + content[at + size :],
        content[:at] + content[at + size :],
        content[:at] + content[at : at + size] + content[at:],
        content[:at] + bytes([content[at] ^ (1 << int(rng.integers(8)))]) + content[at + 1 :],
    )
    return kinds[int(rng.integers(len(kinds)))]


def verdict(content: bytes, *, full: bool) -> str:
    try:
        choose_frame(content, MAX_PIXELS) if full else check_body(content, MAX_PIXELS)
    except DecodeError as error:
        return str(error.status)
    return "sound"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_mutated_files_get_the_same_verdict(seed: int) -> None:
    rng = np.random.default_rng(seed)
    seen: Counter[str] = Counter()
    for mode, options in FORMS:
        for _ in range(FILES):
            content = mutated(drawn(mode, options, rng), rng)
            said = verdict(content, full=False)
            assert said == verdict(content, full=True)
            seen[said] += 1
    assert min(seen["sound"], seen.total() - seen["sound"]) > seen.total() / 10
