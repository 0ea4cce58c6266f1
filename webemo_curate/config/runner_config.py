"""Settings of where row-local stages run."""

import os
from typing import Literal

from webemo_curate.config.settings import Flag, StageConfig, setting

PANEL = "Where it runs"


class RunnerConfig(StageConfig):
    """Where row-local stages run; none of these settings changes a result."""

    kind: Literal["local", "ray"] = setting(
        "local",
        operational=True,
        flag=Flag("--run-on", panel=PANEL, old_name="--engine"),
        description="Processes on this machine, or actors of a Ray cluster.",
    )
    address: str | None = setting(
        None,
        operational=True,
        flag=Flag("--ray-address", panel=PANEL, metavar="HOST:PORT"),
        description="Ray cluster to join, host:6379; default: RAY_ADDRESS, or one here.",
    )
    cpus: float | None = setting(
        None,
        operational=True,
        ge=0,
        flag=Flag("--worker-cpus", panel=PANEL),
        description="Cores a worker on Ray, in place of the stage's own.",
    )
    gpus: float | None = setting(
        None,
        operational=True,
        ge=0,
        flag=Flag("--worker-gpus", panel=PANEL),
        description="GPUs a worker on Ray; at 0.5 two share one.",
    )
    memory: int | None = setting(
        None,
        operational=True,
        ge=0,
        flag=Flag("--worker-memory", panel=PANEL),
        description="Bytes reserved for a worker, its limit too; 0 for no limit.",
    )

    @property
    def cluster(self) -> str | None:
        """The Ray cluster to join, found as Ray's own commands find it; None to start one here."""
        address = self.address or os.environ.get("RAY_ADDRESS")
        return None if address == "local" else address

    @property
    def elsewhere(self) -> bool:
        """Whether the work runs on other machines than this one."""
        return self.kind == "ray" and self.cluster is not None
