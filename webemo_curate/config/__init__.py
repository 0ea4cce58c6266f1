"""The configuration of every stage and of a pipeline file: the only place where defaults live."""

from webemo_curate.config.decoding_config import BOUNDS, DecodeBounds, DecodingConfig
from webemo_curate.config.experiment_config import ExperimentConfig, load_experiment
from webemo_curate.config.export_config import ExportConfig, ExportFormat, RebuildConfig
from webemo_curate.config.fetch_config import FetchConfig
from webemo_curate.config.image_config import (
    DedupConfig,
    FeaturesConfig,
    ImagesConfig,
    MatchingConfig,
)
from webemo_curate.config.label_config import BinarizeConfig, SplitConfig, UndersampleConfig
from webemo_curate.config.label_issues_config import LabelIssuesConfig
from webemo_curate.config.listing_config import PUBLISHED, ListingConfig
from webemo_curate.config.map_config import LOOKS, MapConfig
from webemo_curate.config.pipeline_config import (
    CONFIG,
    NOT_KEPT,
    PRESET_FIELDS,
    TAKEN_BACK,
    DemoConfig,
    Overrides,
    PipelineConfig,
    ReportConfig,
    load_pipeline,
    load_remembered,
    override,
)
from webemo_curate.config.quality_config import QualityRuleConfig
from webemo_curate.config.runner_config import RunnerConfig
from webemo_curate.config.settings import StageConfig
from webemo_curate.config.text_config import FilterTextConfig, OcrConfig, TextRuleConfig
from webemo_curate.config.train_config import PRESETS, TrainConfig

__all__ = [
    "BOUNDS",
    "CONFIG",
    "LOOKS",
    "NOT_KEPT",
    "PRESETS",
    "PRESET_FIELDS",
    "PUBLISHED",
    "TAKEN_BACK",
    "BinarizeConfig",
    "DecodeBounds",
    "DecodingConfig",
    "DedupConfig",
    "DemoConfig",
    "ExperimentConfig",
    "ExportConfig",
    "ExportFormat",
    "FeaturesConfig",
    "FetchConfig",
    "FilterTextConfig",
    "ImagesConfig",
    "LabelIssuesConfig",
    "ListingConfig",
    "MapConfig",
    "MatchingConfig",
    "OcrConfig",
    "Overrides",
    "PipelineConfig",
    "QualityRuleConfig",
    "RebuildConfig",
    "ReportConfig",
    "RunnerConfig",
    "SplitConfig",
    "StageConfig",
    "TextRuleConfig",
    "TrainConfig",
    "UndersampleConfig",
    "load_experiment",
    "load_pipeline",
    "load_remembered",
    "override",
]
