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


def test_a_database_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(_founded(tmp_path))
    check = ["admin", "check", "--data", str(tmp_path), "--json"]
    assert main(check) == Exit.DONE
    assert json.loads(capsys.readouterr().out) == {"sound": True}
    content = bytearray((tmp_path / "server.db").read_bytes())
    content[4096 * 3 : 4096 * 4] = bytes(4096)
    (tmp_path / "server.db").write_bytes(content)
    assert main(check) == Exit.UNAVAILABLE
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["error"] == "damaged"
    assert "newest backup" in last["message"]
    assert (tmp_path / "server.db").read_bytes() == content


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
