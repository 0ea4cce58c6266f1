"""A pipeline file: a section for each stage."""

import logging
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AliasChoices, Field, model_validator

from webemo_curate.config.config_files import read_mapping, validate, within
from webemo_curate.config.decoding_config import DecodingConfig
from webemo_curate.config.export_config import ExportConfig, RebuildConfig
from webemo_curate.config.fetch_config import FetchConfig
from webemo_curate.config.image_config import DedupConfig, FeaturesConfig, ImagesConfig
from webemo_curate.config.label_config import BinarizeConfig, SplitConfig, UndersampleConfig
from webemo_curate.config.label_issues_config import LabelIssuesConfig
from webemo_curate.config.listing_config import ListingConfig
from webemo_curate.config.map_config import MapConfig
from webemo_curate.config.quality_config import QualityRuleConfig
from webemo_curate.config.runner_config import PANEL, RunnerConfig
from webemo_curate.config.settings import (
    ByteCount,
    Flag,
    StageConfig,
    flag_of,
    option_name,
    setting,
)
from webemo_curate.config.text_config import FilterTextConfig
from webemo_curate.config.train_config import PRESETS, TrainConfig
from webemo_curate.errors import InputError
from webemo_curate.quoting import quoted

logger = logging.getLogger(__name__)

CONFIG: Final = "curate.yaml"
"""The file of a workspace that remembers the options given so far."""

MOVED = "max_pixels"
MOVED_FROM = ("fetch", "images")
"""Sections that held this field of `decoding` before; still read there for one more release."""


MIN_MEMORY = 256 * 2**20
"""With less memory, a sort of many columns has no room for a block of each."""


class ReportConfig(StageConfig):
    """What the HTML report shows."""

    examples: int = setting(12, ge=0, description="Pictures shown for each reason.")
    map_pictures: int = setting(
        1_024,
        ge=0,
        le=16_384,
        description="Small pictures on the map; each takes some 600 bytes of the page.",
    )


class DemoConfig(StageConfig):
    """The world that `pipelines/demo.yaml` draws, and serves on loopback."""

    pictures: int = setting(800, ge=100, description="Pictures drawn.")
    seed: int = 0
    form: Literal["lists", "folder", "table"] = setting(
        "lists", description="What goes in: lists of URLs, a folder a label, or a table of files."
    )


class PipelineConfig(StageConfig):
    """A pipeline file: one optional section for each stage."""

    demo: DemoConfig | None = None
    decoding: DecodingConfig = DecodingConfig()
    listing: ListingConfig = ListingConfig()
    fetch: FetchConfig = FetchConfig()
    images: ImagesConfig = ImagesConfig()
    quality: QualityRuleConfig = QualityRuleConfig()
    filter_text: FilterTextConfig = FilterTextConfig()
    features: FeaturesConfig = FeaturesConfig()
    dedup: DedupConfig = DedupConfig()
    binarize: BinarizeConfig = BinarizeConfig()
    label_issues: LabelIssuesConfig = LabelIssuesConfig()
    undersample: UndersampleConfig = UndersampleConfig()
    split: SplitConfig = SplitConfig()
    train: TrainConfig = TrainConfig()
    map: MapConfig = MapConfig()
    report: ReportConfig = ReportConfig()
    export: ExportConfig = ExportConfig()
    rebuild: RebuildConfig = RebuildConfig()
    runner: RunnerConfig = Field(
        default=RunnerConfig(), validation_alias=AliasChoices("runner", "engine")
    )
    workers: int | None = setting(
        None,
        operational=True,
        ge=1,
        flag=Flag(panel=PANEL),
        description="Worker processes, beside the one that holds a GPU; default: the CPU cores.",
    )
    memory: ByteCount | None = setting(
        None,
        operational=True,
        ge=MIN_MEMORY,
        flag=Flag(panel=PANEL, metavar="BYTES"),
        description="Memory of work on whole tables, such as 4GB; default: a quarter of all.",
    )

    @model_validator(mode="before")
    @classmethod
    def _take_old_max_pixels(cls, given: Any) -> Any:
        """Read the pixel limit where it stood before; of two values, the smaller decided."""
        if not isinstance(given, dict):
            return given
        sections = {name: given.get(name) for name in MOVED_FROM}
        old = {
            name: own for name, own in sections.items() if isinstance(own, dict) and MOVED in own
        }
        if not old:
            return given
        for name in old:
            logger.warning(
                "%s.%s is decoding.%s now; the old name goes with the next release",
                *(name, MOVED, MOVED),
            )
        values = [own[MOVED] for own in old.values()]
        least = min((value for value in values if isinstance(value, int)), default=values[0])
        kept = {
            name: {key: value for key, value in own.items() if key != MOVED}
            for name, own in old.items()
        }
        return given | kept | {"decoding": {MOVED: least} | (given.get("decoding") or {})}


TAKEN_BACK: Final = object()
"""Given in place of a value, it removes the remembered value: the default applies again."""

PRESET_FIELDS: Final = {
    "filter_text": frozenset({"threshold", "min_area"}),
    "train": frozenset(name for preset in PRESETS.values() for name in preset),
}
"""Fields that a section's presets set; naming a preset resets all of them."""

NOT_KEPT: Final = {"fetch": {"retry_status", "repair"}, "runner": {"address"}}
"""Fields that no workspace remembers. The first two are for one command only. A Ray cluster runs
code and sends some back, so its address must not come with somebody else's folder."""

Overrides = Annotated[dict[str, dict[str, Any]], "section -> field -> value"]


def load_pipeline(path: Path) -> PipelineConfig:
    """Read a pipeline file.

    Parameters
    ----------
    path : Path
        A YAML file whose top-level keys are the fields of `PipelineConfig`.

    Returns
    -------
    PipelineConfig
        The configuration, defaults filled in.

    Raises
    ------
    InputError
        If the file cannot be read, is not YAML or names an unknown or impossible value.
    """
    return validate(PipelineConfig, read_mapping(path), within(path))


def load_remembered(path: Path) -> PipelineConfig:
    """Read a workspace's remembered settings; see `load_pipeline`.

    Parameters
    ----------
    path : Path
        The file that holds them.

    Returns
    -------
    PipelineConfig
        Without the address of a Ray cluster; if the file names one, this is logged.
    """
    config = load_pipeline(path)
    if config.runner.address is None:
        return config
    _say_not_joined(path, config.runner.address)
    return override(config, {"runner": {"address": TAKEN_BACK}})


@cache
def _say_not_joined(path: Path, address: str) -> None:
    logger.warning(
        "%s: names the Ray cluster %s, which is not joined for that: give --ray-address or set "
        "RAY_ADDRESS if it is yours",
        path,
        quoted(address),
    )


def override(config: PipelineConfig, overrides: Overrides) -> PipelineConfig:
    """Return the configuration with some fields replaced, validated again.

    Parameters
    ----------
    config : PipelineConfig
        The workspace's configuration, or the pipeline file's.
    overrides : dict of str to dict of str to Any
        The fields given on the command line, by section; the section `""` is the pipeline itself.
        `None` means not given, `TAKEN_BACK` the default again. A preset resets the fields that it
        sets, and a weights file the remembered `--from-scratch`.

    Returns
    -------
    PipelineConfig
        The merged configuration.

    Raises
    ------
    InputError
        If a value is invalid; the message names the option.
    """
    # Fields not given stay unset, so that a preset named now can set them.
    document = config.model_dump(exclude_unset=True)
    for section, fields in overrides.items():
        given = {name: value for name, value in fields.items() if value is not None}
        place = document.setdefault(section, {}) if section else document
        _forget(section, given, place)
        place.update(given)
        for name in [name for name, value in given.items() if value is TAKEN_BACK]:
            del place[name]
    return validate(PipelineConfig, document, _option)


def _forget(section: str, given: Mapping[str, Any], place: dict[str, Any]) -> None:
    """Remove remembered values that contradict the ones given now."""
    overruled: Iterable[str] = PRESET_FIELDS[section] if given.get("preset") else ()
    if given.get("weights") not in (None, TAKEN_BACK):
        if given.get("from_scratch"):
            raise InputError("--weights and --from-scratch: give one of the two")
        overruled = [*overruled, "from_scratch"]
    for name in overruled:
        place.pop(name, None)


def _option(keys: tuple[Any, ...]) -> str:
    """Name a field by its option, or by its place in a pipeline file if it has no option."""
    fields = PipelineConfig.model_fields
    for key in keys:
        field = fields.get(str(key))
        if field is None:
            break
        if flag_of(field):
            return option_name(str(key), field)
        kind = field.annotation
        fields = getattr(kind, "model_fields", {})
    return ".".join(map(str, keys))
