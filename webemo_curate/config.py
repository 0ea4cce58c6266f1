"""The configuration of every stage and of a pipeline file: the only place where defaults live."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

from webemo_curate.errors import InputError
from webemo_curate.system_faults import raise_system_fault

OPERATIONAL = "operational"
"""Marks a field that decides how a stage is run (speed, politeness, place), never what it finds."""


def operational(default: Any, **constraints: Any) -> Any:
    """Declare a field that stays out of the stage's fingerprint.

    Parameters
    ----------
    default : Any
        The field's default.
    **constraints : Any
        Passed on to `pydantic.Field` (`ge`, `gt`, `description`, ...).

    Returns
    -------
    Any
        A pydantic field.
    """
    return Field(default, json_schema_extra={OPERATIONAL: True}, **constraints)


AbsolutePath = Annotated[Path, AfterValidator(Path.absolute)]
"""A path that still holds when a later command starts in another folder."""


class StageConfig(BaseModel):
    """Base of all stage configurations: frozen, and strict about unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def fingerprint(self) -> dict[str, Any]:
        """Return the fields that can change a stage's result, as JSON values.

        Returns
        -------
        dict of str to Any
            Every field that is not marked operational.
        """
        left_out = {
            name
            for name, field in type(self).model_fields.items()
            if isinstance(field.json_schema_extra, dict) and OPERATIONAL in field.json_schema_extra
        }
        return self.model_dump(mode="json", exclude=left_out)


ConfigT = TypeVar("ConfigT", bound=StageConfig)


class ListingConfig(StageConfig):
    """Which lists are read; their content enters the fingerprint as an input digest."""

    lists: tuple[AbsolutePath, ...] = operational(
        (), description="WEBEmo list files, or folders that hold them with category.txt"
    )


class FetchConfig(StageConfig):
    """How image URLs are downloaded."""

    limit: int | None = Field(None, ge=1, description="take N distinct URLs in hash order")
    max_bytes: int = Field(32 * 2**20, ge=1, description="a longer body is too_large")
    max_pixels: int = Field(64 * 10**6, ge=1, description="a larger picture is too_large")
    max_redirects: int = Field(5, ge=0)
    placeholder_urls: int = Field(
        10, ge=2, description="a body that this many URLs of a host share is a placeholder"
    )
    ignore_robots: bool = Field(False, description="neither read robots.txt nor X-Robots-Tag")
    allow_private: bool = Field(False, description="allow redirects to private addresses")
    mirror: str | None = operational(None, description="scheme and host put in place of a URL's")
    concurrency: int = operational(8, ge=1, description="connections at once, per host")
    rate: float = operational(20.0, gt=0, description="requests a second, per host")
    retries: int = operational(4, ge=0, description="further attempts after the first")
    timeout: float = operational(
        60.0, gt=0, description="seconds for a URL's requests and the waits between them, in a pass"
    )
    passes: int = operational(
        2, ge=1, description="times that what failed for the moment is asked for in a run"
    )
    patience: float = operational(
        300.0,
        gt=0,
        description="seconds of nothing but failures until a host is given up in a pass",
    )
    retry_status: tuple[str, ...] = operational(
        (), description="statuses (or HTTP codes) of an earlier run to try again"
    )
    contact: str | None = operational(None, description="address put into the User-Agent")


class ImagesConfig(StageConfig):
    """How stored bodies are decoded and hashed."""

    max_pixels: int = Field(64 * 10**6, ge=1, description="a larger picture is not decoded")
    partition_rows: int = operational(512, ge=1)


class FilterTextConfig(StageConfig):
    """How text is found (`ocr` stage) and when an image counts as bearing text (`text` stage)."""

    engine: Literal["auto", "rapidocr", "easyocr"] = "auto"
    device: Literal["auto", "cpu", "gpu"] = "auto"
    short_side: int = Field(416, ge=32, description="pixels the short side is scaled to")
    second_side: int | None = Field(
        None, ge=32, description="the same for a second look, where the first confirmed no text"
    )
    drawn: bool = Field(
        True, description="where nothing is confirmed, look for words drawn over it"
    )
    score_floor: float = Field(0.3, ge=0, le=1, description="weaker boxes are not stored")
    models: AbsolutePath | None = operational(None, description="folder of EasyOCR's weight files")
    frames: int = Field(
        8, ge=1, description="frames of an animation, evenly spaced, that are looked at for text"
    )
    batch_size: int = operational(64, ge=1)
    partition_rows: int = operational(128, ge=1)
    preset: Literal["strict", "balanced", "lenient"] = "balanced"
    threshold: float | None = Field(
        None, ge=0, le=1, description="one confidence in place of the preset's, whatever the length"
    )
    min_area: float | None = Field(
        None,
        ge=0,
        le=1,
        description="least fraction of the image under confirmed text, in place of the preset's",
    )


class FeaturesConfig(StageConfig):
    """Local features, by which crops, captions and borders are found."""

    enabled: bool = Field(True, description="look for cropped and edited copies")
    partition_rows: int = operational(256, ge=1)


class DedupConfig(StageConfig):
    """Which images count as the same picture."""

    distance: int = Field(
        10, ge=0, le=64, description="largest Hamming distance of two pHashes that are looked at"
    )
    perceptual: bool = Field(True, description="find near duplicates, not exact ones alone")
    min_inliers: int = Field(16, ge=4, description="keypoints that must agree on one placing")
    min_correlation: float = Field(
        0.8, ge=-1, le=1, description="of the gray values where two pictures overlap"
    )
    max_changed: float = Field(
        0.008, ge=0, le=1, description="largest part that may differ, as a share of the overlap"
    )
    partition_rows: int = operational(64, ge=1, description="pairs compared at a time")


class BinarizeConfig(StageConfig):
    """Which labels make the positive class."""

    positive: str = "sadness"
    level: Literal[1, 2, 3] = Field(2, description="1: 25 labels, 2: seven emotions, 3: polarity")
    conflicts: Literal["drop", "positive", "majority"] = "drop"
    exclude: tuple[str, ...] = Field((), description="labels or emotions left out altogether")


class UndersampleConfig(StageConfig):
    """How the classes are balanced."""

    positive_fraction: float = Field(0.46, gt=0, lt=1)
    size: int | None = Field(None, ge=2, description="images kept in all")
    seed: int = 0


class SplitConfig(StageConfig):
    """How the sample is divided."""

    ratios: tuple[float, float, float] = (80, 10, 10)
    seed: int = 0
    official: bool = Field(False, description="keep WEBEmo's own test list apart as the test split")
    extend: AbsolutePath | None = operational(
        None, description="folder of earlier split manifests, whose images stay where they are"
    )

    @model_validator(mode="after")
    def _check_ratios(self) -> "SplitConfig":
        if min(self.ratios) < 0 or self.ratios[0] <= 0:
            raise ValueError("ratios are three numbers train/validation/test such as 80/10/10")
        return self


PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "paper-fast": {"precision": "bf16", "deterministic": False},
    "zhang": {
        "network": "zhang",
        "grams": 0,
        "image_size": 224,
        "epochs": 60,
        "batch_size": 16,
        "accumulate": 1,
        "optimizer": "sgd",
        "lr": 1e-4,
        "weight_decay": 1e-4,
        "schedule": "halving",
        "dropout": 0.8,
        "bn_epsilon": 1e-5,
        "bn_momentum": 0.1,
        "augment": "crop-jitter",
    },
    "beyond": {
        "optimizer": "adamw",
        "lr": 5e-4,
        "lr_scaling": "none",
        "weight_decay": 0.05,
        "epsilon": 1e-8,
        "schedule": "cosine",
        "ema_decay": 0.999,
        "label_smoothing": 0.1,
        "center_loss": 0.01,
        "normalise_gram": True,
        "precision": "bf16",
        "deterministic": False,
    },
}
"""What a preset sets; `TrainConfig`'s own defaults are the paper's, and given fields win."""


class TrainConfig(StageConfig):
    """The network, its training and what the paper left open (see docs/paper.md)."""

    preset: Literal["paper", "paper-fast", "zhang", "beyond"] = "paper"
    network: Literal["gram", "zhang"] = Field("gram", description="zhang: their ResNet-50")
    backbone: str = Field("tf_efficientnetv2_b2", pattern=r"^tf_efficientnetv2_(b[0-3]|s)$")
    grams: int = Field(3, ge=0, le=16, description="Gram modules; 0 is the baseline")
    gram_activation: Literal["leaky_relu", "relu", "silu", "identity"] = "leaky_relu"
    normalise_gram: bool = Field(False, description="divide Gram matrices by C * H * W")
    main_order: Literal["dropout-activation-dense", "dropout-dense-activation"] = Field(
        "dropout-activation-dense", description="layers between the pooled features and the sum"
    )
    dropout: float = Field(0.5, ge=0, lt=1, description="before the main branch's dense layer")
    drop_path: float = Field(0.2, ge=0, lt=1, description="stochastic depth at the last block")
    negative_slope: float = Field(0.2, ge=0, description="of every added LeakyReLU")
    bn_epsilon: float = Field(1e-3, gt=0, description="of added batch norms")
    bn_momentum: float = Field(0.01, gt=0, le=1, description="of added batch norms, as torch's")
    initialisation: Literal["glorot", "torch"] = Field(
        "glorot", description="added layers: Keras's Glorot uniform and zero bias, or torch's own"
    )
    frozen: Literal["none", "backbone"] = Field("none", description="what is not trained")
    image_size: int = Field(256, ge=32, le=1024, description="side of the square, pixels")
    resize: Literal["squash", "crop"] = Field(
        "squash", description="how a picture becomes a square: distorted, or its centre alone"
    )
    interpolation: Literal["bilinear", "bicubic"] = Field("bilinear", description="antialiased")
    normalisation: Literal["weights", "imagenet", "half"] = Field(
        "weights", description="mean and deviation: what the backbone's weights expect, or these"
    )
    augment: Literal["randaugment", "crop-jitter", "flip", "none"] = "randaugment"
    augment_ops: int = Field(3, ge=0, le=18, description="RandAugment's N")
    augment_magnitude: float = Field(7, ge=0, description="RandAugment's M")
    augment_scale: float = Field(30, gt=0, description="the magnitude that is full strength")
    augment_fill: int = Field(128, ge=0, le=255, description="level of pixels from outside")
    epochs: int = Field(25, ge=1)
    batch_size: int = Field(64, ge=2, description="images a batch: what batch norms see at once")
    accumulate: int = Field(
        2, ge=1, description="batches an update: shared among the devices, the rest in turn"
    )
    optimizer: Literal["adagrad", "sgd", "adamw"] = "adagrad"
    lr: float = Field(0.002, gt=0, description="learning rate for one batch an update")
    lr_scaling: Literal["batches", "none"] = Field(
        "batches", description="lr times the batches an update, as the paper's times its GPUs"
    )
    schedule: Literal["constant", "halving", "cosine"] = "constant"
    halving_epochs: int = Field(10, ge=1, description="epochs after which 'halving' halves lr")
    initial_accumulator: float = Field(0.1, ge=0, description="Adagrad's, as Keras's")
    epsilon: float = Field(1e-7, gt=0, description="Adagrad's, as Keras's, and AdamW's")
    momentum: float = Field(0.9, ge=0, lt=1, description="of sgd")
    weight_decay: float = Field(0.0, ge=0)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    center_loss: float = Field(0.0, ge=0, description="weight of the contrastive-center loss")
    ema_decay: float = Field(0.0, ge=0, lt=1, description="of averaged weights; 0 averages none")
    precision: Literal["fp32", "bf16"] = Field("fp32", description="bf16: autocast, on a GPU alone")
    seeds: int = operational(1, ge=1, description="runs, with seeds seed, seed + 1, ...")
    seed: int = Field(0, ge=0)
    weights: AbsolutePath | None = Field(None, description="backbone: safetensors or .pth")
    from_scratch: bool = Field(False, description="start from random weights, not ImageNet's")
    device: Literal["auto", "cpu", "cuda"] = operational("auto")
    resume: bool = operational(True, description="go on with an unfinished run of equal config")
    deterministic: bool = operational(True, description="bitwise equal runs on a GPU, slower")
    feed: Literal["auto", "resident", "mapped", "files"] = operational(
        "auto", description="pixels in device memory, from packed files, or decoded each time"
    )
    tensorboard: bool = operational(False, description="write the log as TensorBoard events too")
    checkpoint_minutes: float = operational(
        10.0, ge=0, description="time after which an unfinished epoch's state is stored"
    )

    @model_validator(mode="wrap")
    @classmethod
    def _apply_preset(cls, given: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        """Fill in the preset's values as defaults: fields not given still count as not given."""
        if not isinstance(given, dict):
            return validate(given)
        config = validate(PRESETS.get(str(given.get("preset")), {}) | given)
        config.__pydantic_fields_set__.intersection_update(given)
        return config


class EngineConfig(StageConfig):
    """Where row-local stages run; nothing of it changes a result."""

    kind: Literal["local", "ray"] = operational("local", description="processes here, or actors")
    address: str | None = operational(
        None,
        description="Ray cluster to join, host:6379; none: RAY_ADDRESS, or one here",
    )
    cpus: float | None = operational(None, ge=0, description="cores a worker, for the stage's own")
    gpus: float | None = operational(None, ge=0, description="GPUs a worker; at 0.5 two share one")
    memory: int | None = operational(
        None, ge=0, description="bytes a worker is placed by and may hold; 0: no bound"
    )

    @property
    def cluster(self) -> str | None:
        """The Ray cluster to join, as with Ray's own commands; None for one of this machine."""
        address = self.address or os.environ.get("RAY_ADDRESS")
        return None if address == "local" else address

    @property
    def elsewhere(self) -> bool:
        """Whether the work is done on other machines than this."""
        return self.kind == "ray" and self.cluster is not None


class ReportConfig(StageConfig):
    """What the HTML report shows."""

    examples: int = Field(12, ge=0, description="pictures shown for each reason")


class DemoConfig(StageConfig):
    """The world that `pipelines/demo.yaml` draws and serves on loopback."""

    pictures: int = Field(800, ge=100)
    seed: int = 0


class PipelineConfig(StageConfig):
    """A pipeline file: one section a stage, all optional."""

    demo: DemoConfig | None = None
    listing: ListingConfig = ListingConfig()
    fetch: FetchConfig = FetchConfig()
    images: ImagesConfig = ImagesConfig()
    filter_text: FilterTextConfig = FilterTextConfig()
    features: FeaturesConfig = FeaturesConfig()
    dedup: DedupConfig = DedupConfig()
    binarize: BinarizeConfig = BinarizeConfig()
    undersample: UndersampleConfig = UndersampleConfig()
    split: SplitConfig = SplitConfig()
    train: TrainConfig = TrainConfig()
    report: ReportConfig = ReportConfig()
    engine: EngineConfig = EngineConfig()
    workers: int | None = operational(
        None, ge=1, description="processes; default: CPU cores, or what a GPU's memory holds"
    )


class ExperimentConfig(StageConfig):
    """Networks that are trained on one workspace and compared."""

    networks: dict[str, TrainConfig] = Field(min_length=1)
    baseline: str = Field(description="the network that the others are compared with")
    test_sets: tuple[AbsolutePath, ...] = Field(
        (), description="folders or manifests beside the validation and test splits"
    )

    @model_validator(mode="before")
    @classmethod
    def _spread_common(cls, given: Any) -> Any:
        """Give every network the settings under `common`; its own win."""
        if not isinstance(given, dict) or not isinstance(given.get("networks"), dict):
            return given
        common = given.get("common") or {}
        networks = {name: common | (own or {}) for name, own in given["networks"].items()}
        return {name: value for name, value in given.items() if name != "common"} | {
            "networks": networks
        }

    @model_validator(mode="after")
    def _check_networks(self) -> "ExperimentConfig":
        for name in self.networks:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
                raise ValueError(f"network '{name}': use letters, digits, '_', '-' and '.'")
        if self.baseline not in self.networks:
            raise ValueError(f"baseline '{self.baseline}' is none of {', '.join(self.networks)}")
        if len({network.seeds for network in self.networks.values()}) > 1:
            raise ValueError("every network needs as many seeds: runs are compared in pairs")
        return self


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
    return _validate(PipelineConfig, _read_mapping(path), str(path))


def load_experiment(path: Path, test_sets: Iterable[Path] = ()) -> ExperimentConfig:
    """Read an experiment file.

    Parameters
    ----------
    path : Path
        A YAML file with the fields of `ExperimentConfig`; settings under `common` are every
        network's.
    test_sets : iterable of Path
        Measured on beside the file's own.

    Returns
    -------
    ExperimentConfig
        The configuration, defaults filled in.

    Raises
    ------
    InputError
        If the file cannot be read, is not YAML or names an unknown or impossible value.
    """
    document = _read_mapping(path)
    own = document.get("test_sets") or []
    if isinstance(own, list):
        document["test_sets"] = [*own, *test_sets]
    return _validate(ExperimentConfig, document, str(path))


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise_system_fault(error, str(path))
        raise InputError(f"{path}: not a readable YAML file: {error}") from error
    if not isinstance(document, dict):
        raise InputError(f"{path}: must be a mapping of sections such as 'fetch:'")
    return document


def override(config: PipelineConfig, overrides: Overrides) -> PipelineConfig:
    """Return the configuration with some fields replaced, validated anew.

    Parameters
    ----------
    config : PipelineConfig
        What the workspace or the pipeline file says.
    overrides : dict of str to dict of str to Any
        For each section the fields given on the command line; the section `""` is the pipeline
        itself; `None` means not given.

    Returns
    -------
    PipelineConfig
        The merged configuration.

    Raises
    ------
    InputError
        If a value is impossible; the message names the option.
    """
    # What nobody gave stays open: a preset named now sets it.
    document = config.model_dump(exclude_unset=True)
    for section, fields in overrides.items():
        given = {name: value for name, value in fields.items() if value is not None}
        place = document.setdefault(section, {}) if section else document
        place.update(given)
    return _validate(PipelineConfig, document, "option")


def _validate(model: type[ConfigT], document: dict[str, Any], origin: str) -> ConfigT:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        given = first.get("input")
        raise InputError(f"{origin}: {place}: {first['msg']} (given: {given!r})") from error
