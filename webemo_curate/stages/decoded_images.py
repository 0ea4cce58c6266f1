"""The pictures that decode: the rows that stages above the images stage work on."""

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.verdicts import DecodeStatus


def decoded_rows(images: pa.Table) -> pa.Table:
    """Return the rows of an images manifest, or of a part of it, whose pictures decode.

    Parameters
    ----------
    images : pa.Table
        Column `decode_status`, and others.

    Returns
    -------
    pa.Table
        In their order.
    """
    return images.filter(pc.equal(images["decode_status"].cast(pa.string()), DecodeStatus.OK))
