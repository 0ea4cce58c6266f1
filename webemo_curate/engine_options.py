"""The options that say where row-local work runs, added to each command that does such work."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, Literal

import typer

Command = Callable[..., None]


def _options(names: tuple[str, ...]) -> dict[str, Any]:
    """Return the options' types, by field of `EngineConfig`; `workers` is the pipeline's own."""
    return {
        "workers": Annotated[
            int | None,
            typer.Option("--workers", help="Worker processes; default: as many as fit."),
        ],
        "kind": Annotated[
            Literal["local", "ray"] | None,
            typer.Option(*names, help="What runs row by row work: processes here, or Ray."),
        ],
        "address": Annotated[
            str | None,
            typer.Option(
                "--ray-address", help="host:port of a Ray cluster; default: start one here."
            ),
        ],
        "cpus": Annotated[
            float | None, typer.Option("--worker-cpus", help="CPU cores Ray keeps for a worker.")
        ],
        "gpus": Annotated[
            float | None,
            typer.Option("--worker-gpus", help="GPUs Ray keeps for a worker; 0.5: two share one."),
        ],
        "memory": Annotated[
            float | None,
            typer.Option("--worker-memory", help="Gigabytes of memory Ray keeps for a worker."),
        ],
    }


def with_engine_options(*names: str) -> Callable[[Command], Command]:
    """Add the engine's options to a command.

    Parameters
    ----------
    *names : str
        How the choice of the engine is spelled on this command.

    Returns
    -------
    callable
        Decorates a command that takes `machines`: the options given, by section of the
        configuration. On the command line they stand before its first option of all commands.
    """
    options = _options(names)

    def decorate(command: Command) -> Command:
        @wraps(command)
        def wrapper(**given: Any) -> None:
            engine = {name: given.pop(name) for name in options}
            workers = engine.pop("workers")
            command(**given, machines={"": {"workers": workers}, "engine": engine})

        signature = inspect.signature(command)
        own = [p for name, p in signature.parameters.items() if name != "machines"]
        place = [parameter.name for parameter in own].index("workspace") + 1
        own[place:place] = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
            for name, kind in options.items()
        ]
        by_name = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
        wrapper.__signature__ = signature.replace(parameters=by_name)  # type: ignore[attr-defined]
        wrapper.__annotations__ = {p.name: p.annotation for p in by_name}
        return wrapper

    return decorate
