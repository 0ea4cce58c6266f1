"""Commands on what this machine has and lacks."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from webemo_curate.cli.call import Call
from webemo_curate.cli.command import command
from webemo_curate.credentials import without_credentials
from webemo_curate.errors import CurateError


@command("doctor", "filter_text.models", examples=("doctor", "doctor --network --workspace mine"))
def doctor(
    call: Call,
    network: Annotated[
        bool,
        typer.Option(
            "--network",
            help="Also ask the hosts that publish weights and lists; nothing is asked otherwise.",
        ),
    ] = False,
    host: Annotated[
        list[str] | None, typer.Option(help="Also ask this host; repeatable.", metavar="HOST|URL")
    ] = None,
) -> None:
    """Say what works here, and what to do about the rest."""
    from webemo_curate.installation import checks

    named = (without_credentials(each, "--host") for each in host or ())
    hosts = (*(checks.HOSTS if network else ()), *named)
    found = []
    for check in (
        *checks.look_around(call.config(), _nearest(call.place)),
        checks.optional_packages(),
        *checks.ask_hosts(hosts),
    ):
        found.append(check)
        print(f"{check.state:<9} {check.name:<19} {check.found}")
        if check.remedy:
            print(f"{'':<29} to do: {check.remedy}")
    if not hosts:
        print(f"{'not asked':<9} {'network':<19} --network asks the hosts of weights and lists")
    failing = [check.name for check in found if check.state == checks.State.FAILS]
    said = f"{', '.join(failing)}: see what to do above" if failing else "All that is needed works"
    call.end(said, then=None if failing else "fetch --help")
    call.answer(checks=[asdict(check) for check in found], works=not failing)
    if failing:
        raise typer.Exit(CurateError.exit_code)


@command(
    "get-weights",
    *("filter_text.models", "train.weights_tag"),
    examples=(
        "get-weights easyocr",
        "get-weights timm",
        "get-weights easyocr --mirror https://mirror.example",
    ),
    keeps=True,
)
def get_weights(
    call: Call,
    which: Annotated[
        Literal["easyocr", "timm"],
        typer.Argument(help="easyocr: its detector and recognizer; timm: the backbone's."),
    ],
    mirror: Annotated[
        str | None,
        typer.Option(help="A copy of the publisher's site, in place of it.", metavar="URL"),
    ] = None,
) -> None:
    """Download weights of networks, checked, to where the other commands look for them."""
    from webemo_curate.installation.weight_download import get
    from webemo_curate.installation.weight_sources import easyocr_sources, timm_source

    config = call.config()
    models = config.filter_text.models
    if which == "easyocr":
        sources = easyocr_sources(models, mirror)
        then = "filter-text --gpu --ocr easyocr"
        then += f" --models {shlex.quote(str(models))}" if models else ""
    else:
        from webemo_curate.models.registry import backbone_name

        sources, then = [timm_source(backbone_name(config.train), mirror)], "train-model"
    files = [get(source) for source in sources]
    for file in files:
        state = "here already" if file.there else "downloaded"
        size = f"{file.bytes / 1e6:.1f} MB, {file.algorithm} {file.digest}"
        print(f"{state}: {file.path} ({size})")
    call.end(then=then)
    call.answer(files=[asdict(file) for file in files])


def _nearest(place: str) -> Path:
    """Return the workspace's folder, or the nearest above it that is there."""
    folder = Path("." if "://" in place else place).absolute()
    return next(each for each in (folder, *folder.parents) if each.is_dir())
