"""Settings of the map of pictures."""

from webemo_curate.config.settings import Flag, StageConfig, setting

LOOKS = "looks"
"""In place of a run's name: colors and texture place the pictures, whatever was trained."""


class MapConfig(StageConfig):
    """What the map shows, and what places the pictures on it."""

    pictures: int = setting(
        60_000,
        ge=10,
        le=1_000_000,
        flag=Flag(metavar="N"),
        description="Pictures on the map; of more, so many are drawn by their hashes.",
    )
    run: str | None = setting(
        None,
        operational=True,
        flag=Flag(metavar="NAME"),
        description="Run whose network's features place the pictures, or 'looks' for colors and "
        "texture; default: the latest run, without one the looks.",
    )
