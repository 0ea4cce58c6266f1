"""`curate report`: gather the sections and write the page."""

from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from webemo_curate import __version__
from webemo_curate.report import sections
from webemo_curate.report.dropped import dropped
from webemo_curate.report.siblings import siblings
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.verdicts import Split, is_binary
from webemo_curate.workspace import REPORT

TEMPLATE, STYLE = "report.html", "report.css"


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
        Where it lies: one HTML file that asks nothing of any network.

    Raises
    ------
    InputError
        If a manifest is there but cannot be read.
    """
    workspace, examples = work.workspace, work.config.report.examples
    environment = Environment(
        loader=PackageLoader("webemo_curate", "report"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
    )
    funnel = sections.funnel_steps(workspace)
    splits, runs = sections.split_rows(workspace), sections.run_sections(workspace)
    classes = workspace.classes(Split.TRAIN)
    page = environment.get_template(TEMPLATE).render(
        version=__version__,
        typed=workspace.typed,
        style=(files("webemo_curate.report") / STYLE).read_text(encoding="utf-8"),
        headline=sections.headline(funnel, splits, runs, classes),
        funnel=funnel,
        label_chart=sections.label_chart(workspace),
        dropped=dropped(work, examples),
        siblings=siblings(work, examples),
        splits=splits,
        classes=classes,
        binary=is_binary(classes),
        runs=runs,
        origins=sections.origins(workspace),
    )
    workspace.store.write(REPORT, page.encode())
    return workspace.store.where(REPORT)
