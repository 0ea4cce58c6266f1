"""Made-up corpora: the manifests that stand before binarizing, from labels and groups alone."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from tests.stages.tables import listing, manifest, sha
from webemo_curate.config import BinarizeConfig, SplitConfig, UndersampleConfig
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.binarize import BinarizeStage
from webemo_curate.stages.split import SplitStage
from webemo_curate.stages.stage import Stage, StageContext
from webemo_curate.stages.undersample import UndersampleStage
from webemo_curate.taxonomies import WEBEMO, load_taxonomy
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

Tables = dict[str, pa.Table]


def corpus(labels: Sequence[str | Sequence[str]], groups: Sequence[int] | None = None) -> Tables:
    """Return listing, fetch, images and duplicates of one image for each entry.

    Parameters
    ----------
    labels : sequence of str or of sequences of str
        The label of each image, or all it is listed under.
    groups : sequence of int, optional
        Images of equal number belong together; default each alone.
    """
    numbers = range(len(labels))
    names = [sha(number) for number in numbers]
    homes = names if groups is None else [sha(f"group {group}") for group in groups]
    lines = [
        {"url": f"http://x/{number}", "label": label}
        for number, given in zip(numbers, labels, strict=True)
        for label in ([given] if isinstance(given, str) else given)
    ]
    urls = [{"url": f"http://x/{number}", "sha256": names[number]} for number in numbers]
    members = [
        {"sha256": name, "cluster": name, "matched": name, "group": home}
        for name, home in zip(names, homes, strict=True)
    ]
    return {
        "listing": listing(lines),
        "fetch": manifest("fetch", urls),
        "images": manifest("images", [{"sha256": name} for name in names]),
        "duplicates": manifest("duplicates", members),
    }


def run_stage(stage: Stage, tables: Tables, workspace: Workspace) -> Tables:
    """Return the tables with a stage's outputs beside them."""
    return tables | stage.run(tables, StageContext(workspace, LocalRunner(1), "made up"))


def curate(
    tables: Tables,
    workspace: Workspace,
    undersample: UndersampleConfig | None = None,
    split: SplitConfig | None = None,
) -> Tables:
    """Binarize, undersample and split a corpus."""
    for stage in (
        BinarizeStage(BinarizeConfig()),
        UndersampleStage(undersample or UndersampleConfig()),
        SplitStage(split or SplitConfig()),
    ):
        tables = run_stage(stage, tables, workspace)
    return tables


def homes(tables: Tables, column: str = "sha256") -> dict[str, set[str]]:
    """Return the splits in which each value of a column stands."""
    found: dict[str, set[str]] = {}
    for split in Split:
        for value in tables[split][column].to_pylist():
            found.setdefault(value, set()).add(split)
    return found


def draw_labels(count: int, positive_share: float, seed: int = 0) -> list[str]:
    """Draw labels: `positive_share` of them of the sadness emotion, even within each class."""
    taxonomy = load_taxonomy(WEBEMO)
    sad = sorted(taxonomy.covered(["sadness"]))
    rest = sorted(set(taxonomy.labels) - set(sad))
    random = np.random.default_rng(seed)
    positives = round(count * positive_share)
    drawn = [*random.choice(sad, positives), *random.choice(rest, count - positives)]
    return [str(label) for label in random.permutation(drawn)]
