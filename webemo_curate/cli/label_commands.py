"""The command that finds labels a network doubts."""

from dataclasses import asdict
from typing import Final

from webemo_curate.cli.call import Call
from webemo_curate.cli.command import RUNNER, command
from webemo_curate.cli.dataset_commands import DryRunOption
from webemo_curate.config import TrainConfig
from webemo_curate.config.settings import flag_of
from webemo_curate.errors import InputError

UNUSED: Final = ("seeds", "tensorboard")
"""Options of train-model that mean nothing to networks that are trained for their answers."""

TRAINING: Final = tuple(
    f"train.{name}"
    for name, field in TrainConfig.model_fields.items()
    if flag_of(field) and name not in UNUSED
)


@command(
    "label-issues",
    *("label_issues", "binarize.target", *TRAINING, *RUNNER),
    examples=(
        "label-issues --workspace mine",
        "label-issues --doubt labels --folds 10 --workspace mine",
        "label-issues --drop-worst 5% --workspace mine",
        "label-issues --drop-worst none --workspace mine",
    ),
)
def label_issues(call: Call, dry_run: DryRunOption = False) -> None:
    """Find labels that networks doubt which have not seen them; rank them, estimate the noise."""
    from webemo_curate.cli.show import as_dicts, show_plan, show_stages
    from webemo_curate.cli.summary import closing_line
    from webemo_curate.label_issues.doubt_stages import LabelIssuesStage, with_doubts
    from webemo_curate.label_issues.findings import findings
    from webemo_curate.models.devices import require_device
    from webemo_curate.pipeline import Pipeline, build_stages
    from webemo_curate.training.distributed import follows

    if follows():
        raise InputError("label-issues: trains in one process; start it without torchrun")
    config = call.config()
    pipeline = Pipeline(call.workspace, config, stages=with_doubts(build_stages))
    name = LabelIssuesStage.name
    if dry_run:
        call.answer(plan=show_plan(pipeline, name))
        return
    require_device(config.train.device)
    outcomes = show_stages(pipeline.run(name))
    found = findings(call.workspace)
    worst = config.label_issues.drop_worst
    leaving = [] if worst is None else [f"The worst {worst:g} % leave at the next split."]
    then = "review --kind label" if worst is None else "split"
    lies = call.workspace.where(name)
    call.end(closing_line(outcomes), *found.lines(), *leaving, lies=lies, then=then)
    call.answer(
        stages=as_dicts(outcomes),
        images=found.images,
        issues=found.issues,
        noise=found.noise,
        classes=[asdict(each) for each in found.classes],
    )
