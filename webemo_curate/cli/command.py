"""The decorator of commands: their own parameters, the configuration's options, those of all."""

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from functools import cache
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO, cast

import typer
from typer.core import TyperGroup

from webemo_curate.cli import ANEW, KEPT, stop
from webemo_curate.cli.bundles import gather, spread
from webemo_curate.cli.call import Call
from webemo_curate.cli.options import FieldOption, field_options, option_parameters, take_overrides
from webemo_curate.cli.plain_stream import PlainStream
from webemo_curate.config import Overrides
from webemo_curate.errors import InputError
from webemo_curate.machine import at_home
from webemo_curate.remedies import working_in
from webemo_curate.system_faults import check_address_space

if TYPE_CHECKING:
    from webemo_curate.workspace import Workspace

GENERAL = "General"
RUNNER = ("runner", "workers", "memory")
"""Options of every command that runs stages: where, in how many processes, how much memory."""

PROCESSES = ("workers",)
"""All that `rebuild` takes of those: the pictures that it asks for lie in a folder of this machine
until they are compared, which workers elsewhere do not see."""

RAY_KEYS = ("address", "cpus", "gpus", "memory")

app = typer.Typer(
    help="From labeled pictures to an audited data set and a trained network.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

WorkspaceOption = Annotated[
    str,
    typer.Option(
        "--workspace",
        help="Folder of manifests/ and data/, or s3://bucket/prefix.",
        rich_help_panel=GENERAL,
    ),
]
JsonOption = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print the answer as one JSON object; what is said goes to standard error.",
        rich_help_panel=GENERAL,
    ),
]
QuietOption = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Print results and errors alone.", rich_help_panel=GENERAL),
]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say details too.", rich_help_panel=GENERAL)
]
RayOption = Annotated[list[str] | None, typer.Option("--ray", hidden=True)]

GROUPS = {
    "taxonomy": "Label hierarchies.",
    "runs": "Finished runs beside each other; alone, it lists them.",
    "config": "What a workspace remembers of options: show, set, unset.",
}
"""Groups of commands, with their help."""

SHARED = {
    "workspace": (WorkspaceOption, "."),
    "as_json": (JsonOption, False),
    "quiet": (QuietOption, False),
    "verbose": (VerboseOption, False),
}
"""Parameters of every command, with their defaults."""

LISTING = ("runs",)
"""Groups that list what there is if no command of theirs is named."""


class ListsByDefault(TyperGroup):
    """A group whose command `list` need not be named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `list` before what names no command of the group."""
        named = args and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else ["list", *args])


def command(
    name: str,
    *places: str,
    looks: bool = False,
    examples: Sequence[str] = (),
    names_options: bool = False,
    keeps: bool | None = None,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare a command of `curate`.

    Parameters
    ----------
    name : str
        Under which it is called; two words for a command of a group (`taxonomy show`).
    *places : str
        Parts of the configuration whose options it takes; see `options.field_options`.
    looks : bool, default False
        Whether it works on a workspace that is there: a mistyped one is refused, and not made.
    examples : sequence of str
        Shown at the end of its help: what follows `curate`.
    names_options : bool, default False
        Whether options of others are arguments of this one.
    keeps : bool, optional
        Whether one that is stopped keeps what it has done, and goes on; by default those that run
        stages do.

    Returns
    -------
    Callable
        Decorates a function of a `Call` and the command's own parameters; its docstring is the
        help.
    """
    options = [option for place in places for option in field_options(place)]
    has_runner = set(RUNNER) <= set(places)
    stopped = KEPT if (has_runner if keeps is None else keeps) else ANEW

    def declare(function: Callable[..., None]) -> Callable[..., None]:
        def run(**given: Any) -> None:
            _set_verbosity(quiet=given.pop("quiet"), verbose=given.pop("verbose"))
            overrides = take_overrides(options, given)
            if has_runner:
                _take_ray(given.pop("ray"), overrides)
            given = {name: _at_home(value) for name, value in given.items()}
            place, as_json = _placed(given.pop("workspace")), given.pop("as_json")
            check_place(place, there=looks)
            with (
                _ended_in_our_words(stopped),
                working_in(place),
                results_to(as_json=as_json) as results,
            ):
                call = Call(_opened(place), place, overrides, results)
                function(call, **gather(function, given))

        run.__signature__ = _signature(function, options, has_runner=has_runner)  # type: ignore[attr-defined]
        run.__doc__, run.__module__ = function.__doc__, function.__module__
        group, _, own_name = name.rpartition(" ")
        (_group(group) if group else app).command(
            own_name,
            epilog=_epilog(examples),
            context_settings={"ignore_unknown_options": names_options},
        )(run)
        return function

    return declare


def _at_home(value: Any) -> Any:
    """Return what was given, the home folder in place of a path's quoted `~`."""
    if isinstance(value, list):
        return [_at_home(each) for each in value]
    return at_home(value) if isinstance(value, Path) else value


def _placed(workspace: str) -> str:
    return str(at_home(Path(workspace))) if workspace.startswith("~") else workspace


def _opened(place: str) -> "Workspace":
    """Open a workspace; what it loads, Arrow above all, is not what `curate --help` waits for."""
    check_address_space()
    from webemo_curate.workspace import open_workspace

    return open_workspace(place)


def _epilog(examples: Sequence[str]) -> str | None:
    """Return the end of a command's help; Typer keeps lines apart where an empty one is between."""
    return (
        "\n\n".join(["Examples:", *(f"curate {each}" for each in examples)]) if examples else None
    )


@contextmanager
def results_to(*, as_json: bool) -> Iterator[TextIO | None]:
    """Keep standard output for the answer alone while the block runs, if JSON is wanted.

    Parameters
    ----------
    as_json : bool
        Whether it is.

    Yields
    ------
    TextIO or None
        Where the answer goes.
    """
    results = sys.stdout
    plain = PlainStream(sys.stderr if as_json else results)
    with redirect_stdout(cast(TextIO, plain)):
        yield results if as_json else None


@contextmanager
def _ended_in_our_words(said: str) -> Iterator[None]:
    """Say how the command ended: of Ctrl-C, and of any `EOFError`, Typer says 'Aborted.' alone."""
    try:
        yield
    except KeyboardInterrupt:
        stop(said)
    except EOFError as error:
        raise RuntimeError("the end of a file or of a pipe came too early") from error


def check_place(place: str, *, there: bool) -> None:
    """Refuse a workspace that is a file, or is not there where it must be."""
    folder = Path(place)
    if "://" in place or folder.is_dir():
        return
    if folder.exists():
        raise InputError(f"--workspace {place}: is a file; name a folder")
    if there:
        raise InputError(f"--workspace {place}: no such folder; nothing was made. Is it mistyped?")


@cache
def _group(name: str) -> typer.Typer:
    """Return the group of commands of a name, made when its first command is declared."""
    kind = ListsByDefault if name in LISTING else TyperGroup
    group = typer.Typer(no_args_is_help=name not in LISTING, help=GROUPS[name], cls=kind)
    app.add_typer(group, name=name)
    return group


def _signature(
    function: Callable[..., None], options: list[FieldOption], *, has_runner: bool
) -> Signature:
    """Return the parameters that Typer parses: the function's own, the options', the shared."""
    parameters = spread(function) + option_parameters(options)
    if has_runner:
        ray = Parameter("ray", Parameter.KEYWORD_ONLY, default=None, annotation=RayOption)
        parameters.append(ray)
    parameters += [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in SHARED.items()
    ]
    return Signature(parameters)


def _set_verbosity(*, quiet: bool, verbose: bool) -> None:
    level = logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO
    logging.getLogger("webemo_curate").setLevel(level)


def _take_ray(given: list[str] | None, overrides: Overrides) -> None:
    """Read `--ray KEY=VALUE`, the earlier form of `--ray-address` and the like."""
    for text in given or ():
        key, equals, value = text.partition("=")
        if not equals or key not in RAY_KEYS:
            raise InputError(f"--ray {text}: give one of {', '.join(RAY_KEYS)}, such as cpus=2")
        overrides["runner"][key] = value
