"""An experiment file: networks to train and compare."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from webemo_curate.config.config_files import read_mapping, validate, within
from webemo_curate.config.settings import AbsolutePath, StageConfig
from webemo_curate.config.train_config import TrainConfig


class ExperimentConfig(StageConfig):
    """Networks to train on one workspace and compare."""

    networks: dict[str, TrainConfig] = Field(min_length=1)
    baseline: str = Field(description="the network that the others are compared with")
    figures: tuple[str, ...] = Field(
        (), description="networks that figures 5 and 7 are drawn for beside the proposed one"
    )
    test_sets: tuple[AbsolutePath, ...] = Field(
        (), description="folders or manifests beside the validation and test splits"
    )

    @model_validator(mode="before")
    @classmethod
    def _spread_common(cls, given: Any) -> Any:
        """Add the settings under `common` to every network; its own take precedence."""
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
        for name in self.figures:
            if name not in self.networks:
                raise ValueError(f"figures: '{name}' is none of {', '.join(self.networks)}")
        if len({network.seeds for network in self.networks.values()}) > 1:
            raise ValueError("every network needs as many seeds: runs are compared in pairs")
        return self


def load_experiment(path: Path, test_sets: Iterable[Path] = ()) -> ExperimentConfig:
    """Read an experiment file.

    Parameters
    ----------
    path : Path
        A YAML file with the fields of `ExperimentConfig`; settings under `common` apply to every
        network.
    test_sets : iterable of Path
        Sets to evaluate on besides the file's own.

    Returns
    -------
    ExperimentConfig
        The configuration, defaults filled in.

    Raises
    ------
    InputError
        If the file cannot be read, is not YAML, or holds an unknown name or invalid value.
    """
    document = read_mapping(path)
    own = document.get("test_sets") or []
    if isinstance(own, list):
        document["test_sets"] = [*own, *test_sets]
    return validate(ExperimentConfig, document, within(path))
