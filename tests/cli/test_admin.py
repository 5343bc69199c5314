"""What a server holds about a person, on its operator's command line."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from coterie.cli.failures import Exit
from coterie.cli.main import main
from tests.server.house import house_in


def test_nobody_and_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["admin", "sees", "alice", "--data", str(tmp_path), "--json"]) == Exit.UNAVAILABLE
    assert json.loads(capsys.readouterr().out)["error"] == "disk"
    assert main(["admin", "sees", "al ice", "--data", str(tmp_path)]) == Exit.REFUSED
    assert main(["admin"]) == Exit.USAGE


def test_where_there_is_no_server_there_is_no_identity(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["admin", "rotate-identity", "--data", str(tmp_path)]
    assert main([*where, "--json"]) == Exit.UNAVAILABLE
    assert json.loads(capsys.readouterr().out)["error"] == "disk"


def test_a_stopped_server_gets_another_identity(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(_founded(tmp_path))
    where = ["admin", "rotate-identity", "--data", str(tmp_path)]
    assert main([*where, "--json"]) == Exit.DONE
    first = json.loads(capsys.readouterr().out)["identity"]
    assert main(where) == Exit.DONE
    said = capsys.readouterr().out
    assert "from its next start on" in said
    assert first not in said


async def _founded(folder: Path) -> None:
    async with house_in(folder):
        pass
