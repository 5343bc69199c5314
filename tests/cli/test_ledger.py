"""Ledger files on the command line: sound, fraudulent, and proving nothing."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from coterie.base.signing import IdentityKeys, LedgerKeys
from coterie.cli.failures import Exit
from coterie.cli.main import main
from tests.ledger.test_audit import GOOD, Signer, leaf


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer(IdentityKeys.generate(), LedgerKeys.generate())


@pytest.fixture
def sound(signer: Signer, tmp_path: Path) -> Path:
    path = tmp_path / "sound"
    path.write_bytes(signer.file(GOOD, signer.head(GOOD)).pack())
    return path


def test_a_sound_file(sound: Path, signer: Signer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", "audit", str(sound), "--json"]) == Exit.DONE
    said = json.loads(capsys.readouterr().out)
    assert said["server"] == signer.server.id.hex()
    assert (said["leaves"], said["covered"], said["names"], said["fraud"]) == (5, 5, 3, None)
    assert main(["ledger", "audit", str(sound)]) == Exit.DONE
    assert "everything that is signed agrees" in capsys.readouterr().out


def test_a_fraud_ends_with_four_and_says_what_shows_it(
    signer: Signer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "fraud"
    other = [*GOOD[:4], leaf(0, 3, 2)]
    path.write_bytes(signer.file(GOOD, signer.head(GOOD), signer.head(other)).pack())
    assert main(["ledger", "audit", str(path)]) == Exit.SECURITY_STOP
    assert "FRAUD: two roots were signed for one size" in capsys.readouterr().out
    assert main(["ledger", "audit", str(path), "--json"]) == Exit.SECURITY_STOP
    said = json.loads(capsys.readouterr().out)
    assert [head["size"] for head in said["shown_by"]] == [5, 5]
    assert said["shown_by"][0]["root"] != said["shown_by"][1]["root"]


@pytest.mark.parametrize("cut", [0, 1, 100, 5000, -1])
def test_what_proves_nothing_is_refused_in_a_sentence(
    cut: int, sound: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound.write_bytes(sound.read_bytes()[:cut])
    assert main(["ledger", "audit", str(sound), "--json"]) == Exit.REFUSED
    assert json.loads(capsys.readouterr().out)["error"] == "proves-nothing"


def test_a_file_may_come_from_standard_input(
    sound: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(sound.read_bytes())))
    assert main(["ledger", "audit", "-"]) == Exit.DONE
    assert "5 of 5 leaves" in capsys.readouterr().out


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", "audit", str(tmp_path / "no"), "--json"]) == Exit.UNAVAILABLE
    assert json.loads(capsys.readouterr().out)["error"] == "disk"
    assert main(["ledger"]) == Exit.USAGE
