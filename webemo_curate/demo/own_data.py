"""The demo's pictures as a user's own collection: a folder for each label, or a table of files."""

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path

from webemo_curate.demo.world import BODIES, HOST, Plan
from webemo_curate.storage.atomic import write_bytes
from webemo_curate.taxonomies.webemo_labels import LABELS

PHOTOS, TABLE = "photos", "labels.csv"


def write_photos(plan: Plan, folder: Path) -> Path:
    """Put every picture that the server would serve into a folder named by its label.

    Parameters
    ----------
    plan : Plan
        The demo's plan.
    folder : Path
        Folder of the drawn world.

    Returns
    -------
    Path
        The folder that holds the labels' folders.
    """
    place = folder / PHOTOS
    for label, name, body in _pictures(plan):
        file = place / label / name
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            os.link(folder / BODIES / body, file)
    return place


def write_table(plan: Plan, folder: Path) -> Path:
    """Write a table of the pictures' files and labels.

    Parameters
    ----------
    plan, folder
        See `write_photos`.

    Returns
    -------
    Path
        The table; its files lie beside it.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["file", "emotion"])
    for label, name, _ in _pictures(plan):
        writer.writerow([f"{PHOTOS}/{label}/{name}", label])
    write_photos(plan, folder)
    write_bytes(folder / TABLE, text.getvalue().encode())
    return folder / TABLE


def _pictures(plan: Plan) -> Iterator[tuple[str, str, str]]:
    """Yield label, file name and body of each list line whose URL serves a picture."""
    for lines in plan.lines.values():
        for line in lines:
            url, _, index = line.rpartition(" ")
            path = url.removeprefix(HOST)
            answer = plan.answers[path]
            if answer.body is not None:
                yield LABELS[int(index)].name, path.rpartition("/")[2], answer.body
