"""`coterie ledger audit` and `proof`, as programs: of a server, of a file, in another home."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.conftest import SignedUp, StartServer
from tests.real.programs import Client, Server

pytestmark = pytest.mark.slow


def test_a_server_is_audited_by_anybody_and_held_against_this_home(
    server: Server, signed_up: SignedUp, tmp_path: Path
) -> None:
    alice = signed_up("alice")
    nobody = Client(tmp_path / "nobody", "nobody")
    ended = nobody.run("ledger", "audit", server.invite)
    assert (ended.code, ended.line["fraud"], ended.line.get("held_against")) == (0, None, None)
    own = alice.run("ledger", "audit", server.invite)
    assert own.code == 0, own.err
    alone, together = own.lines
    assert alone == ended.line
    assert together["held_against"].startswith(f"{alice.name}@")
    assert (together["root"], together["fraud"]) == (alone["root"], None)
    proof = tmp_path / "proof"
    alice.ok("ledger", "proof", str(proof))
    checked = nobody.run("ledger", "audit", str(proof))
    assert (checked.code, checked.line["root"]) == (0, alone["root"])


def test_a_server_by_invite_shows_strangers_nothing(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server("--invite-only")
    ended = Client(tmp_path / "nobody", "nobody").run("ledger", "audit", server.invite)
    assert (ended.code, ended.line["error"]) == (1, "not-signed-in")


def test_no_server_is_there(tmp_path: Path) -> None:
    nobody = Client(tmp_path / "nobody", "nobody")
    assert nobody.run("ledger", "audit", "127.0.0.1:9").code == 3
    ended = nobody.run("ledger", "audit", "no-such-file")
    assert (ended.code, ended.line["error"]) == (3, "disk")
