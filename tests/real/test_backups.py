"""backup, verify-backup and restore as programs: the history is there, and both go on."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from coterie.cli.failures import Exit
from tests.real.conftest import SignedUp
from tests.real.programs import Client

pytestmark = pytest.mark.slow


def texts(client: Client, target: str) -> list[str]:
    return [line["text"] for line in client.ok("read", target)]


def test_a_backup_is_another_device_in_another_home(signed_up: SignedUp, tmp_path: Path) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    alice.send(f"@{bob.name}", "before")
    bob.waiting(1)
    file = tmp_path / "alice.backup"
    (made,) = alice.ok("backup", str(file))
    assert made["bytes"] == file.stat().st_size
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"before" not in file.read_bytes()
    (held,) = alice.ok("verify-backup", str(file))
    assert (held["account"], held["messages"]) == (alice.name, 1)
    alice.send(f"@{bob.name}", "after the backup")

    again = Client(tmp_path / "again", alice.name, alice.password_file.read_text().strip())
    (restored,) = again.ok("restore", str(file))
    assert restored["restored"] == alice.name
    assert texts(again, f"@{bob.name}") == ["before"]
    again.send(f"@{bob.name}", "from the restored")
    alice.send(f"@{bob.name}", "from the original")
    said = [line["text"] for line in bob.waiting(3)]
    assert sorted(said) == ["after the backup", "from the original", "from the restored"]
    bob.send(f"@{alice.name}", "to both")
    assert [line["text"] for line in again.waiting(2)] == ["from the original", "to both"]
    devices = [line for line in alice.ok("devices") if not line.get("revoked")]
    assert len(devices) == 2


def test_what_cannot_be_done_is_said_and_changes_nothing(signed_up: SignedUp, tmp_path: Path) -> None:
    alice = signed_up("alice")
    file = tmp_path / "alice.backup"
    with alice.running("listen") as listening:
        listening.until_live()
        busy = alice.run("backup", str(file))
        assert (busy.code, busy.line["error"]) == (Exit.UNAVAILABLE, "profile-in-use")
    assert not file.exists()
    alice.ok("backup", str(file))
    before = file.read_bytes()
    again = alice.run("backup", str(file))
    assert (again.code, again.line["error"]) == (Exit.UNAVAILABLE, "disk")
    assert file.read_bytes() == before
    here = alice.run("restore", str(file))
    assert (here.code, here.line["error"]) == (Exit.REFUSED, "profile-exists")
    damaged = tmp_path / "damaged"
    damaged.write_bytes(before[:5000] + b"x" + before[5001:])
    for command in ("verify-backup", "restore"):
        ended = Client(tmp_path / "other", "alice").run(command, str(damaged))
        assert (ended.code, ended.line["error"]) == (Exit.UNAVAILABLE, "damaged")
        assert "Traceback" not in ended.err
    assert not list((tmp_path / "other").glob("profiles/*/keys"))
