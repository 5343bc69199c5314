"""What a server holds about a person, on its operator's command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coterie.cli.failures import Exit
from coterie.cli.main import main


def test_nobody_and_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["admin", "sees", "alice", "--data", str(tmp_path), "--json"]) == Exit.UNAVAILABLE
    assert json.loads(capsys.readouterr().out)["error"] == "disk"
    assert main(["admin", "sees", "al ice", "--data", str(tmp_path)]) == Exit.REFUSED
    assert main(["admin"]) == Exit.USAGE
