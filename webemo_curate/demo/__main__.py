"""`python -m webemo_curate.demo FOLDER CONFIG`: the server's own process."""

import sys
from pathlib import Path

from webemo_curate.config import DemoConfig
from webemo_curate.demo.server import serve

serve(Path(sys.argv[1]), DemoConfig.model_validate_json(sys.argv[2]))
