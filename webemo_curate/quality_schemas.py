"""The columns of manifests about the quality of pictures: measures and flags."""

import pyarrow as pa

from webemo_curate.fields import ENUM, SHA256, column
from webemo_curate.verdicts import GOOD_ENOUGH, QualityFlag

MEASURES = pa.schema(
    [
        SHA256,
        column("brightness_p5", pa.float64(), "5th percentile of the pixels' brightness, 0 to 1"),
        column("brightness_p99", pa.float64(), "99th percentile of the pixels' brightness"),
        column("entropy", pa.float64(), "bits, of the histogram of color values"),
        column("edges", pa.float64(), "standard deviation of the edges at 64 pixels"),
        column("gray_spread", pa.float64(), "standard deviation of the counts of 256 gray values"),
        column("chroma", pa.float64(), "99th percentile of the range of red, green and blue"),
        column("inside", pa.float64(), "share of the picture within blank borders"),
        column("grid", pa.float64(), "steps inside JPEG's blocks, by those across their borders"),
    ]
)

MEANINGS = {
    QualityFlag.DARK: "99th percentile of brightness; cleanvision's score",
    QualityFlag.LIGHT: "1 - 5th percentile of brightness; cleanvision's score",
    QualityFlag.BLURRY: "of edges and of the spread of gray values; cleanvision's score",
    QualityFlag.LOW_INFORMATION: "tenth of the entropy, at most 1; cleanvision's score",
    QualityFlag.GRAYSCALE: "0 for a file that stores gray values alone, else 1; cleanvision's",
    QualityFlag.COLORLESS: "99th percentile of the range of red, green and blue, however stored",
    QualityFlag.ODD_ASPECT_RATIO: "shorter side by longer side; cleanvision's score",
    QualityFlag.ODD_SIZE: "nearness to the set's usual size; cleanvision's score",
    QualityFlag.BLANK_BORDERS: "share of the picture within blank borders",
    QualityFlag.BLOCKY: "steps inside JPEG's blocks, by those across their borders",
}
"""The basis of each score; all range from 0 to 1, and a low score is bad."""

QUALITY = pa.schema(
    [
        SHA256,
        *(column(str(flag), pa.float64(), MEANINGS[flag]) for flag in QualityFlag),
        column("flags", pa.list_(pa.string()), "the scores that are below their threshold"),
        column("verdict", ENUM, f"{GOOD_ENOUGH}, or the first of the flags it was dropped for"),
        column("score", pa.float64(), "the score of the verdict's flag", nullable=True),
        column("threshold", pa.float64(), "what it had to reach", nullable=True),
    ]
)
