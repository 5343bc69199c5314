"""Several accounts side by side in one home: on one server, and under one name on two."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.conftest import StartServer
from tests.real.programs import Client, Line

pytestmark = pytest.mark.slow


def signed_up(client: Client, invite: str, name: str) -> Line:
    (line,) = client.ok("signup", name, "--server", invite)
    return line


def test_each_is_named_where_it_is_not_the_only_one(start_server: StartServer, tmp_path: Path) -> None:
    home, work = start_server(), start_server()
    me = Client(tmp_path / "me", "alice")
    at_home = signed_up(me, home.invite, "alice")
    assert me.ok("people")[0]["account_id"] == at_home["account_id"], "the only one needs no name"
    signed_up(me, home.invite, "bob")
    at_work = signed_up(me, work.invite, "alice")
    assert me.run("people").line["error"] == "usage"
    assert me.run("people", "--profile", "alice").line["error"] == "usage", "which alice?"
    assert me.run("people", "--profile", "carol").line["error"] == "no-profile"
    folders = sorted(folder.name for folder in (me.home / "profiles").iterdir())
    assert [name.partition("@")[0] for name in folders] == ["alice", "alice", "bob"]
    ids = {me.ok("devices", "--profile", name)[0]["id"] for name in folders}
    assert {at_home["device_id"], at_work["device_id"]} < ids
    me.ok("send", "@alice", "from me to me", "--profile", "bob")
    whole = next(
        name for name in folders if name.startswith("alice") and home.fingerprint.startswith(name[6:])
    )
    (line,) = [
        line for line in me.ok("listen", "--count", "1", "--profile", whole) if line["event"] == "message"
    ]
    assert (line["from"], line["text"]) == ("bob", "from me to me")
    (left,) = me.ok("sign-out", "--wipe", "--profile", whole)
    assert left["wiped"] is True
    assert me.ok("people", "--profile", "alice")[0]["account_id"] == at_work["account_id"]
