"""What quality flags say of a folder of photos, how far they can be trusted, what they cost.

`python -m benchmarks.quality FOLDER LABELS.csv [--rounds 5]`: the columns `file` and `family` of
LABELS name the photos and what belongs together. Prints

- how many photos each flag stands on, beside cleanvision's count on the same files;
- `blocky`: photos stored anew by JPEG at several qualities, flagged where the score is below the
  threshold, on the half that it was chosen on and on the other (`halves.half_of`), and the same of
  blank borders drawn around photos;
- time of the images stage's worker with measures over without, in turns in one process.
"""

from webemo_curate.config import DecodingConfig
from webemo_curate.imaging.measures import Measures
from webemo_curate.verdicts import QualityFlag

MAX_PIXELS = DecodingConfig().max_pixels
QUALITIES = (10, 20, 30, 50, 75, 90)
BORDERS = (0, 2, 5, 10, 20)
"""Thickness on every side, as a percentage of the shorter side."""

OWN = (QualityFlag.COLORLESS, QualityFlag.BLANK_BORDERS, QualityFlag.BLOCKY)
NOTHING = Measures(*[0.0] * 8)
