"""`curate report`: gather the sections and write the page."""

import base64
import hashlib
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from webemo_curate import __version__
from webemo_curate.accounting import funnel
from webemo_curate.report import sections
from webemo_curate.report.borderline import MAX_SHOWN, Borderline
from webemo_curate.report.doubted_labels import doubted
from webemo_curate.report.dropped import dropped
from webemo_curate.report.examples import Album
from webemo_curate.report.label_margin import label_borderline
from webemo_curate.report.label_section import labels
from webemo_curate.report.leaks import leaks
from webemo_curate.report.next_steps import FETCH, next_steps
from webemo_curate.report.pair_margin import pair_borderline
from webemo_curate.report.picture_map import picture_map
from webemo_curate.report.quality_margin import quality_borderline
from webemo_curate.report.reviewed import reviewed
from webemo_curate.report.run_sections import curves_together, run_sections
from webemo_curate.report.seen_by_network import looks
from webemo_curate.report.siblings import siblings
from webemo_curate.report.svg import OwnIds
from webemo_curate.report.text_margin import text_borderline
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.verdicts import Split, is_binary
from webemo_curate.workspace import REPORT

TEMPLATE, STYLE = "report.html", "report.css"
SCRIPTS = ("report.js", "map_colors.js", "map_canvas.js", "map_controls.js")
"""They become one script of the page."""


def build_report(work: WorkContext) -> str:
    """Write the report on whatever the workspace holds.

    Parameters
    ----------
    work : WorkContext
        Its workspace has the manifests, images and runs; what is missing is named with the command
        that makes it. Its configuration says how many pictures are shown.

    Returns
    -------
    str
        Where it lies: one HTML file that asks nothing of any network, and in which no script runs
        but its own.

    Raises
    ------
    InputError
        If a manifest is there but cannot be read.
    """
    environment = Environment(
        loader=PackageLoader("webemo_curate", "report"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
    )
    environment.filters["own_ids"] = OwnIds()
    style, *scripts = (
        files("webemo_curate.report").joinpath(name).read_text(encoding="utf-8")
        for name in (STYLE, *SCRIPTS)
    )
    script = "\n".join(scripts)
    page = environment.get_template(TEMPLATE).render(
        version=__version__,
        typed=work.workspace.typed,
        fetch=FETCH,
        style=style,
        script=script,
        script_digest=_digest(script),
        **_sections(work),
    )
    store = work.workspace.store
    store.write(REPORT, page.encode())
    return store.where(REPORT)


def _digest(script: str) -> str:
    """Return the digest by which a content security policy names the one script that may run."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _sections(work: WorkContext) -> dict[str, Any]:
    """Return what the page shows, by the names of its template."""
    workspace, examples = work.workspace, work.config.report.examples
    album = Album(work)
    memory = work.config.memory
    steps, splits = funnel(workspace, memory), sections.split_rows(workspace, memory)
    runs, classes = run_sections(workspace), workspace.classes(Split.TRAIN)
    return {
        "headline": sections.headline(steps, splits, runs, classes),
        "funnel": steps,
        "narrow": _narrow(album, work),
        "reviewed": reviewed(workspace),
        "labels": labels(work),
        "doubted": doubted(album, examples),
        "dropped": dropped(album, examples),
        "siblings": siblings(album, examples),
        "map": picture_map(work),
        "splits": splits,
        "leaks": leaks(work),
        "classes": classes,
        "binary": is_binary(classes),
        "runs": runs,
        "together": curves_together(runs),
        "looks": looks(work, runs, examples // MAX_SHOWN),
        "steps": next_steps(workspace),
        "origins": sections.origins(workspace),
    }


def _narrow(album: Album, work: WorkContext) -> list[Borderline]:
    """Return what each step of the funnel decided narrowly, as far as the steps have run."""
    config, count = work.config, work.config.report.examples // MAX_SHOWN
    steps = (
        quality_borderline(album, config.quality, count),
        text_borderline(album, config.filter_text.rule, count),
        pair_borderline(album, config.dedup, count),
        label_borderline(album, config.binarize, count),
    )
    return [step for step in steps if step]
