"""backup, restore, verify-backup and rescue where there is nothing to work on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coterie.cli.failures import Exit
from coterie.cli.main import main


@pytest.fixture
def home(tmp_path: Path) -> list[str]:
    (tmp_path / "password").write_text("swallow-marble-quay-94\n")
    return ["--json", "--home", str(tmp_path / "home"), "--password-file", str(tmp_path / "password")]


def error(capsys: pytest.CaptureFixture[str]) -> str:
    return str(json.loads(capsys.readouterr().out)["error"])


def test_without_an_account_there_is_nothing_to_back_up_or_to_rescue(
    home: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["backup", str(tmp_path / "file")], ["rescue"]):
        assert main([*words, *home]) == Exit.REFUSED
        assert error(capsys) == "no-profile"
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("command", ["restore", "verify-backup"])
def test_what_is_no_backup_makes_no_account(
    command: str, home: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    assert main([command, str(file), *home]) == Exit.UNAVAILABLE
    assert error(capsys) == "disk"
    file.write_bytes(b"garbage" * 100)
    assert main([command, str(file), *home]) == Exit.UNAVAILABLE
    assert error(capsys) == "damaged"
    assert not (tmp_path / "home").exists()
    assert main([command, *home]) == Exit.USAGE
