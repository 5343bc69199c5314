"""Disks that are full or damaged, on the command line: one sentence, no stack trace, and what helps."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from coterie.cli.failures import Exit
from coterie.client.api.opening import open_store
from coterie.client.store.profiles import find_profile
from tests.real.conftest import SignedUp
from tests.real.programs import COMMAND, Client, Ended, Server, environment

pytestmark = pytest.mark.slow

PAGE_BYTES = 4096
LIMITED = ("sh", "-c", 'ulimit -f "$0"; unset COVERAGE_PROCESS_CONFIG COVERAGE_PROCESS_START; exec "$@"')
"""A program whose files cannot grow past so many blocks of 512 bytes, as on a disk that is full; nor could
that in which it is measured what it runs through."""


def spoil_messages(client: Client) -> None:
    """A changed bit on every third page of messages."""
    place = find_profile(client.home, None)
    store, _ = open_store(place, client.password_file.read_text().strip())
    pages = store._rows("SELECT pageno FROM dbstat WHERE name = 'message' AND pagetype = 'leaf'")
    store.close()
    content = bytearray(place.database.read_bytes())
    for (page,) in pages[1::3]:
        content[page * PAGE_BYTES - 100] ^= 1
    place.database.write_bytes(content)


def told(ended: Ended, code: str, words: str) -> None:
    assert (ended.code, ended.line["error"]) == (Exit.UNAVAILABLE, code)
    assert words in ended.line["message"]
    assert "Traceback" not in ended.err


def test_a_full_disk_refuses_what_was_typed_and_keeps_what_is_there(signed_up: SignedUp) -> None:
    alice = signed_up("alice")
    me = f"@{alice.name}"
    alice.send(me, "before")
    command = alice.command("send", me, "x" * 60_000)
    told(alice.run_command([*LIMITED, "100", *command]), "disk", "the disk of the database")
    assert [line["text"] for line in alice.ok("read", me)] == ["before"]
    alice.send(me, "there is room again")
    assert [line["text"] for line in alice.ok("read", me)] == ["before", "there is room again"]


def test_a_damaged_store_says_how_to_save_what_is_left(signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    alice.ok("send", f"@{bob.name}", "--lines", stdin=b"".join(b"word " * 200 + b"\n" for _ in range(40)))
    spoil_messages(alice)
    ended = alice.run("read", f"@{bob.name}")
    told(ended, "damaged", "coterie rescue")
    (rescued,) = alice.ok("rescue")
    assert rescued["rescued"] == alice.name
    assert Path(rescued["kept"], "store.db").exists()
    assert 0 < rescued["messages"] < 40
    alice.ok("read", f"@{bob.name}")
    alice.send(f"@{bob.name}", "from what was saved")
    again = alice.run("rescue")
    assert (again.code, again.line["error"]) == (Exit.USAGE, "usage")


def test_a_damaged_server_does_not_start_and_says_what_helps(own_server: Server, tmp_path: Path) -> None:
    alice = Client(tmp_path / "alice", "alice")
    alice.sign_up(own_server.invite)
    own_server.kill()
    log = own_server.data / "server.db-wal"
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 1
    log.write_bytes(content)
    before = {path.name: path.read_bytes() for path in own_server.data.glob("server.db*")}
    words = ("serve", "--json", "--data", str(own_server.data), "--listen", "127.0.0.1:0")
    done = subprocess.run([*COMMAND, *words], capture_output=True, env=environment(), check=False)
    told(Ended(done.returncode, done.stdout, done.stderr), "damaged", "newest backup")
    after = {path.name: path.read_bytes() for path in own_server.data.glob("server.db*")}
    assert {name: after[name] for name in before if name != "server.db-shm"} == {
        name: before[name] for name in before if name != "server.db-shm"
    }
