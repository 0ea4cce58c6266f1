"""Pictures side by side in one file, to look at what a benchmark found wrong."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

CELL = (200, 160)
COLUMNS = 3


def contact_sheet(file: Path, groups: Sequence[Sequence[Path]]) -> None:
    """Write a sheet with a cell for each group of pictures; nothing if there is none.

    Parameters
    ----------
    file : Path
        The JPEG file to write.
    groups : sequence of sequence of Path
        Pictures that stand together.
    """
    if not groups:
        return
    width = max(map(len, groups)) * CELL[0]
    rows = -(-len(groups) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (width + 10), rows * (CELL[1] + 10)), "white")
    for index, group in enumerate(groups):
        for place, picture in enumerate(group):
            with Image.open(picture) as image:
                small = image.convert("RGB")
            small.thumbnail(CELL)
            left = index % COLUMNS * (width + 10) + place * CELL[0]
            sheet.paste(small, (left, index // COLUMNS * (CELL[1] + 10)))
    file.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(file, quality=80)
