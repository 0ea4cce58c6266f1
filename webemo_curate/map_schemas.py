"""The columns of the map: made when asked for, by no run of the pipeline."""

import pyarrow as pa

from webemo_curate.fields import SHA256, column

MAP = pa.schema(
    [
        SHA256,
        column("x", pa.float32(), "place across, 0 to 1; pictures alike lie near each other"),
        column("y", pa.float32(), "place down, 0 to 1, in the same unit"),
    ]
)
