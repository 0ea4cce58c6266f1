"""Write TIFF files of any samples: kinds of numbers, planes, strips or tiles, predictors."""

import struct
import zlib
from dataclasses import dataclass

import numpy as np

DEFLATE = 8


@dataclass(frozen=True)
class Layout:
    """How samples are stored: byte order, planes, tiles, deflate with a predictor (TIFF 6.0)."""

    order: str = "<"
    separate: bool = False
    tiled: bool = False
    predictor: int = 0
    """0 for samples that are not compressed."""


def store(values: np.ndarray, layout: Layout, photometric: int, **tags: int | float) -> bytes:
    """Return the file of an array (height, width, samples); further tags as `t338=1`."""
    height, width, count = values.shape
    planes = [values[..., i : i + 1] for i in range(count)] if layout.separate else [values]
    parts = [_packed(part, layout) for plane in planes for part in _parts(plane, layout)]
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    entries: dict[int, tuple] = {
        **{256: (width,), 257: (height,), 258: (values.itemsize * 8,) * count, 262: (photometric,)},
        **{259: (DEFLATE if layout.predictor else 1,), 277: (count,), 339: (kind,) * count},
        **{284: (2 if layout.separate else 1,)},
        **({317: (layout.predictor,)} if layout.predictor else {}),
        **({322: (16,), 323: (16,)} if layout.tiled else {278: (10,)}),
        **{int(name[1:]): (value,) for name, value in tags.items()},
    }
    places, lengths = (324, 325) if layout.tiled else (273, 279)
    starts = np.cumsum([8, *(len(part) for part in parts)]).tolist()
    entries |= {places: tuple(starts[:-1]), lengths: tuple(len(part) for part in parts)}
    head = (b"II*\0" if layout.order == "<" else b"MM\0*") + struct.pack(
        layout.order + "I", starts[-1]
    )
    return head + b"".join(parts) + _page(entries, starts[-1], layout.order)


def _parts(plane: np.ndarray, layout: Layout) -> list[np.ndarray]:
    if not layout.tiled:
        return [plane[top : top + 10] for top in range(0, len(plane), 10)]
    high, wide = (-side % 16 for side in plane.shape[:2])
    padded = np.pad(plane, ((0, high), (0, wide), (0, 0)))
    return [
        padded[top : top + 16, left : left + 16]
        for top in range(0, len(padded), 16)
        for left in range(0, padded.shape[1], 16)
    ]


def _packed(part: np.ndarray, layout: Layout) -> bytes:
    rows, _, count = part.shape
    if layout.predictor == 2:
        part = np.ascontiguousarray(part).view(f"u{part.itemsize}")
        part = np.diff(part, axis=1, prepend=part[:, :1] * 0)
    if layout.predictor == 3:
        high = part.astype(part.dtype.newbyteorder(">")).reshape(rows, -1)
        planes = high.view(np.uint8).reshape(rows, -1, part.itemsize).swapaxes(1, 2)
        planes = planes.reshape(rows, -1, count)
        return zlib.compress(np.diff(planes, axis=1, prepend=planes[:, :1] * 0).tobytes())
    stored = part.astype(part.dtype.newbyteorder(layout.order)).tobytes()
    return zlib.compress(stored) if layout.predictor else stored


def _page(entries: dict[int, tuple], at: int, order: str) -> bytes:
    fields, beyond = b"", b""
    after = at + 2 + 12 * len(entries) + 4
    for tag, values in sorted(entries.items()):
        kind, form = (12, "d") if isinstance(values[0], float) else (4, "I")
        packed = struct.pack(f"{order}{len(values)}{form}", *values)
        if len(packed) > 4:
            packed, beyond = struct.pack(order + "I", after + len(beyond)), beyond + packed
        fields += struct.pack(order + "HHI", tag, kind, len(values)) + packed
    return struct.pack(order + "H", len(entries)) + fields + bytes(4) + beyond
