"""`python -m tests.e2e.example`: make the example manifests anew."""

import shutil
import tempfile
from pathlib import Path

from tests.e2e.conftest import PICTURES, SEED, curate, prepare
from webemo_curate.config import DemoConfig
from webemo_curate.demo import demo_world

EXAMPLE = Path(__file__).parents[2] / "manifests"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with demo_world(DemoConfig(pictures=PICTURES, seed=SEED), folder / "world") as world:
            workspace = prepare(folder / "ws", world)
            curate("split", "--workspace", workspace)
        for file in (workspace / "manifests").glob("*.parquet"):
            shutil.copy(file, EXAMPLE / file.name)


if __name__ == "__main__":
    main()
