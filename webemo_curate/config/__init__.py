"""The configuration of every stage and of a pipeline file: the only place where defaults live."""

from webemo_curate.config.base import StageConfig
from webemo_curate.config.experiment import ExperimentConfig, load_experiment
from webemo_curate.config.fetch import FetchConfig, ListingConfig
from webemo_curate.config.images import DedupConfig, FeaturesConfig, ImagesConfig
from webemo_curate.config.labels import BinarizeConfig, SplitConfig, UndersampleConfig
from webemo_curate.config.pipeline import (
    DemoConfig,
    Overrides,
    PipelineConfig,
    ReportConfig,
    load_pipeline,
    override,
)
from webemo_curate.config.runner import RunnerConfig
from webemo_curate.config.text import FilterTextConfig
from webemo_curate.config.train import PRESETS, TrainConfig

__all__ = [
    "PRESETS",
    "BinarizeConfig",
    "DedupConfig",
    "DemoConfig",
    "ExperimentConfig",
    "FeaturesConfig",
    "FetchConfig",
    "FilterTextConfig",
    "ImagesConfig",
    "ListingConfig",
    "Overrides",
    "PipelineConfig",
    "ReportConfig",
    "RunnerConfig",
    "SplitConfig",
    "StageConfig",
    "TrainConfig",
    "UndersampleConfig",
    "load_experiment",
    "load_pipeline",
    "override",
]
