"""Longer fuzzing than the tests': `make fuzz`, with as many seconds a target as FUZZ_SECONDS says.

The corpus is generated: sound files are written by the package itself and spoiled.
"""

import os
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.security.spoiled import TARGETS

SECONDS = float(os.environ.get("FUZZ_SECONDS", "60"))


def main() -> int:
    """Fuzz every target; returns the number of those that broke."""
    broken = 0
    for name, target in TARGETS.items():
        seed = int(os.environ.get("FUZZ_SEED", time.time_ns()))
        print(f"{name}: FUZZ_SEED={seed}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            broken += not _fuzz(name, target(Path(folder)), random.Random(seed))
    return broken


def _fuzz(name, read, chance) -> bool:  # type: ignore[no-untyped-def]
    count, deadline = 0, time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        content = read.spoil(chance)
        try:
            read.take(content)
        except Exception as error:
            file = Path(f"fuzz-{name}-{count}.bin")
            file.write_bytes(content)
            print(f"{name}: {type(error).__name__}: {error}; kept as {file}")
            return False
        count += 1
    print(f"{name}: {count} files, each read, refused or redone")
    return True


if __name__ == "__main__":
    sys.exit(main())
