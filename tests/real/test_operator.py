"""What whoever runs a server can see, by the command that says so."""

from __future__ import annotations

import json

import pytest

from coterie.cli.failures import Exit
from coterie.cli.main import main
from tests.real.conftest import SignedUp
from tests.real.programs import Server

pytestmark = pytest.mark.slow


def test_an_operator_sees_every_row_and_no_text(
    server: Server, signed_up: SignedUp, capsys: pytest.CaptureFixture[str]
) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    alice.send(f"@{bob.name}", "rhubarb and custard")
    assert main(["admin", "sees", alice.name, "--data", str(server.data), "--json"]) == Exit.DONE
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"accounts", "devices", "log_entries"} <= {row["table"] for row in rows}
    assert b"rhubarb".hex() not in json.dumps(rows)
    assert main(["admin", "sees", alice.name, "--data", str(server.data)]) == Exit.DONE
    assert "name: so that it is unique, and others find it" in capsys.readouterr().out
