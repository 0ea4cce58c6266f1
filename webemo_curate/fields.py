"""Declare the columns of manifests, and the types that several of them share."""

import pyarrow as pa

VOLATILE = b"volatile"
LATER = b"later"
DESCRIPTION = b"description"
ENUM = pa.dictionary(pa.int32(), pa.string())
GRAY = pa.binary(32 * 32)
"""The reduced gray picture from which a perceptual hash is computed, row by row."""

COLOR = pa.binary(4 * 4 * 3)
"""Mean colors of a picture's sixteen parts, row by row, RGB."""


def column(
    name: str,
    kind: pa.DataType,
    description: str,
    *,
    nullable: bool = False,
    volatile: bool = False,
    later: bool = False,
) -> pa.Field:
    """Declare one column of a manifest.

    Parameters
    ----------
    name : str
        The column's name.
    kind : pa.DataType
        Its Arrow type.
    description : str
        What it holds; stored in the schema's metadata.
    nullable : bool, default False
        Whether a value may be missing.
    volatile : bool, default False
        Whether it differs between equal runs (times, attempts). Such a column is left out of the
        manifest's digest.
    later : bool, default False
        Whether the column was added when files of the manifest already existed. If no row has a
        value, the file lacks the column, and the digest is that of a table without it.

    Returns
    -------
    pa.Field
        The field with its metadata.
    """
    metadata = {DESCRIPTION: description.encode()}
    if volatile:
        metadata[VOLATILE] = b"true"
    if later:
        metadata[LATER] = b"true"
    return pa.field(name, kind, nullable=nullable or later, metadata=metadata)


SHA256 = column("sha256", pa.string(), "SHA-256 of the stored bytes, in hex")
TIMESTAMP = pa.timestamp("ms", tz="UTC")

TEXT_BOX = pa.struct(
    [
        pa.field("polygon", pa.list_(pa.float32()), nullable=False),  # x1 y1 ... x4 y4, pixels
        pa.field("score", pa.float32(), nullable=False),  # the detector's, 0 to 1
        pa.field("text", pa.string(), nullable=False),
        pa.field("confidence", pa.float32(), nullable=False),  # the recognizer's, 0 to 1
        pa.field("area", pa.float32(), nullable=False),  # fraction of the image
        pa.field("agreed", pa.float32(), nullable=False),  # a second network's score of the place
        pa.field("drawn", pa.bool_(), nullable=False),  # found by the look for drawn words
        pa.field("frame", pa.int32(), nullable=False),  # of an animation, from 0
        pa.field("support", pa.float32()),  # of its readings, the box moved: mean confidence
        pa.field("periodic", pa.float32(), nullable=False),  # how much its pixels repeat, 0 to 1
    ]
)


def plain_type(kind: pa.DataType) -> pa.DataType:
    """Return the type of a dictionary's values; other types are returned unchanged."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind
