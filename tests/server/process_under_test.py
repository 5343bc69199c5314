"""Run as a program: a real server process that says on stdout what a test has to know.

Arguments: data folder, port. Prints the ready line as JSON, then the names of all loaded modules as JSON.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from coterie.server.serve import run
from coterie.server.settings import ReadyLine, ServerSettings


def say_ready(line: ReadyLine) -> None:
    print(json.dumps({"listen": line.listen, "invite": line.invite, "metrics": line.metrics}), flush=True)
    print(json.dumps(sorted(sys.modules)), flush=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    run(ServerSettings(data=Path(sys.argv[1]), port=int(sys.argv[2])), say_ready)
