"""docs/architecture.md, 'How to add': a stage, added to a copy of the package place by place."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]

CONFIG = '''
"""When a picture counts as wide."""

from webemo_curate.config.settings import Flag, StageConfig, setting


class WideConfig(StageConfig):
    """When a picture counts as wide."""

    ratio: float = setting(1.5, gt=0, flag=Flag(), description="Least width by height.")
'''

STAGE = '''
"""The wide stage: which pictures are wide."""

from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate import gates
from webemo_curate.config.wide_config import WideConfig
from webemo_curate.stages.stage import Stage, StageContext, Tables


class WideStage(Stage[WideConfig]):
    """Measure every decoded picture."""

    name = "wide"
    inputs: ClassVar = {"images": ("sha256", "width", "height")}
    outputs = ("wide",)
    gate = gates.WIDE

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:
        """Return a row for each picture; see `Stage.run`."""
        images = tables["images"].filter(tables["images"]["width"].is_valid())
        ratio = pc.divide(images["width"].cast("float64"), images["height"].cast("float64"))
        verdict = pc.if_else(pc.greater_equal(ratio, self.config.ratio), "wide", "kept")
        return {"wide": pa.table({"sha256": images["sha256"], "ratio": ratio, "verdict": verdict})}
'''

SCHEMA = """
WIDE = pa.schema(
    [
        SHA256,
        column("ratio", pa.float64(), "width by height"),
        column("verdict", ENUM, "kept, or wide: it leaves"),
    ]
)

MANIFESTS: dict[str, pa.Schema] = {
    "wide": WIDE,
"""

COMMAND = '''

@command("flag-wide", "wide", *RUNNER, examples=("flag-wide --ratio 2",))
def flag_wide(call: Call, only: OnlyOption = False, dry_run: DryRunOption = False) -> None:
    """Tell which pictures are wide."""
    _run_stages(call, "wide", only=only, dry_run=dry_run)
'''


GATE = """WIDE = Gate("wide", "wide", "sha256", "verdict", ("kept",), score="ratio", optional=True)

GATES = (FETCH, IMAGES, WIDE, """


def put(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert text.count(before) == 1, f"{file}: {before}"
    file.write_text(text.replace(before, after))


def extend(package: Path) -> None:
    """Add the stage at the places that the page lists, with a gate at which rows leave."""
    (package / "config/wide_config.py").write_text(CONFIG.lstrip())
    sections = package / "config/pipeline_config.py"
    put(sections, "class ReportConfig", f"{IMPORT_CONFIG}\n\n\nclass ReportConfig")
    put(
        sections,
        "    split: SplitConfig = SplitConfig()\n",
        "    split: SplitConfig = SplitConfig()\n    wide: WideConfig = WideConfig()\n",
    )
    put(package / "schemas.py", "MANIFESTS: dict[str, pa.Schema] = {\n", SCHEMA.lstrip())
    (package / "stages/wide.py").write_text(STAGE.lstrip())
    graph = package / "pipeline.py"
    put(graph, "logger = logging", f"{IMPORT_STAGE}\n\nlogger = logging")
    put(
        graph,
        "        QualityStage(config",
        "        WideStage(config.wide),\n        QualityStage(config",
    )
    put(package / "gates.py", "GATES = (FETCH, IMAGES, ", GATE)
    results = '    "images": ("images do not decode", None),\n'
    put(package / "cli/summary.py", results, results + '    "wide": ("images are wide", "wide"),\n')
    put(
        package / "remedies.py",
        '    "ocr": "filter-text",\n',
        WRITER + '    "ocr": "filter-text",\n',
    )
    commands = package / "cli/dataset_commands.py"
    put(commands, '    "text": "dedup",\n', '    "wide": "filter-text",\n    "text": "dedup",\n')
    commands.write_text(commands.read_text() + COMMAND)


WRITER = '    "wide": "flag-wide",\n'
IMPORT_CONFIG = "from webemo_curate.config.wide_config import WideConfig"
IMPORT_STAGE = "from webemo_curate.stages.wide import WideStage"


def test_a_stage_is_added_as_the_page_says(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "webemo_curate", tmp_path / "code/webemo_curate")
    extend(tmp_path / "code/webemo_curate")
    workspace = tmp_path / "ws"
    shutil.copytree(ROOT / "manifests", workspace / "manifests")
    (workspace / "list.txt").write_text("https://a.example/1.jpg 3\n")
    (workspace / "curate.yaml").write_text(f"listing: {{lists: [{workspace / 'list.txt'}]}}\n")
    command = [sys.executable, "-m", "webemo_curate.cli", "flag-wide", "--only"]
    done = subprocess.run(
        [*command, "--ratio", "1.3", "--workspace", str(workspace)],
        env=os.environ | {"PYTHONPATH": str(tmp_path / "code")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = pd.read_parquet(workspace / "manifests/wide.parquet")
    wide = found["ratio"] >= 1.3
    assert (wide == (found["verdict"] == "wide")).all()
    assert f"{wide.sum()} of {len(found)} images are wide; {(~wide).sum()} remain" in done.stdout
    assert f"Next: curate filter-text --workspace {workspace}" in done.stdout
