"""A password and a recovery key that change, a device that leaves, an account that ends: by the commands."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.real.conftest import SignedUp
from tests.real.programs import Client, Ended, Line, Server, environment
from tests.real.proxy import Proxy, proxy_to

pytestmark = pytest.mark.slow

NEW = "otter-violet-harbour-31-lamp"
BEFORE_THE_MANIFEST_BYTES = 6000
"""More than a client says before it gives a manifest, and less than with it."""
LOST_SECONDS = 60.0


def passwd(client: Client, new: str, *options: str) -> list[str]:
    file = client.home.parent / "new-password"
    file.write_text(new + "\n")
    return client.command("passwd", "--new-password-file", str(file), *options)


def opens(client: Client, password: str) -> bool:
    """Whether a password opens the profile, without a server."""
    before = client.password_file.read_text().strip()
    client.set_password(password)
    ended = client.run("read", "everyone")
    client.set_password(before)
    assert ended.code == 0 or ended.line["error"] == "wrong-credentials", ended.out
    return ended.code == 0


def ran(client: Client, command: list[str]) -> Ended:
    ended = client.run_command(command)
    assert ended.code == 0, (ended.out, ended.err)
    return ended


def said(ended: Ended) -> Line:
    return ended.line


def test_a_password_is_changed_and_what_it_is_good_for(
    server: Server, signed_up: SignedUp, tmp_path: Path
) -> None:
    bob = signed_up("bob")
    old = bob.password_file.read_text().strip()
    weak = bob.run_command(passwd(bob, "password"))
    assert (weak.code, weak.line["error"]) == (1, "weak-password")
    assert said(ran(bob, passwd(bob, NEW))) == {"account": bob.name, "wrapped": False}
    assert not opens(bob, old)
    bob.set_password(NEW)
    (wrapped,) = bob.ok("passwd", "--wrap", "on")
    assert wrapped["wrapped"] is True
    second = Client(tmp_path / "second", bob.name, NEW)
    second.ok("login", bob.name, "--server", server.invite)
    (made,) = bob.ok("passwd", "--generate-passphrase")
    assert made["wrapped"] is True
    bob.set_password(made["passphrase"])
    third = Client(tmp_path / "third", bob.name, made["passphrase"])
    third.ok("login", bob.name, "--server", server.invite)
    assert opens(second, NEW), "the other device keeps what opens it"


def test_a_new_recovery_key_is_shown_once_and_ends_the_old_one(server: Server, tmp_path: Path) -> None:
    bob = Client(tmp_path / "bob", "bob.of.recovery")
    old = bob.sign_up(server.invite)["recovery_key"]
    (made,) = bob.ok("recovery", "new")
    assert len(made["recovery_key"].split()) == 24
    for words, code in ((old, 1), (made["recovery_key"], 0)):
        second = Client(tmp_path / f"second-{code}", bob.name, "forgotten-and-new-9")
        file = tmp_path / "words"
        file.write_text(words)
        ended = second.run("login", bob.name, "--server", server.invite, "--recovery-key-file", str(file))
        assert ended.code == code, (ended.out, ended.err)


def test_a_kill_between_both_commits_shuts_nobody_out(own_server: Server, tmp_path: Path) -> None:
    """The server has the new password, and this machine dies before it hears of it. Both open the profile,
    and the next connection finishes the change."""
    bob = Client(tmp_path / "bob", "bob")
    old = bob.password_file.read_text().strip()
    with proxy_to(own_server.port) as proxy:
        bob.sign_up(own_server.behind(proxy.port))
        killed_when_the_answer_is_lost(proxy, passwd(bob, NEW))
        assert opens(bob, old)
        assert opens(bob, NEW)
        proxy.target_port = own_server.port
        bob.set_password(NEW)
        bob.ok("devices")
        assert opens(bob, NEW)
        assert not opens(bob, old)
        second = Client(tmp_path / "second", "bob", old)
        ended = second.run("login", "bob", "--server", own_server.invite)
        assert ended.line["error"] == "wrong-credentials"


def killed_when_the_answer_is_lost(proxy: Proxy, command: list[str]) -> None:
    """Later connections go nowhere."""
    proxy.lose_answer_after(BEFORE_THE_MANIFEST_BYTES, then_port=0)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment()) as process:
        assert proxy.lost.wait(LOST_SECONDS)
        process.kill()


def test_who_signs_out_says_what_becomes_of_this_machine(server: Server, signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    alice.send(f"@{bob.name}", "hello")
    bob.waiting(1)
    asked = bob.run("sign-out")
    assert (asked.code, asked.line["error"]) == (2, "usage"), "nobody is there to ask"
    (left,) = bob.ok("sign-out", "--keep")
    assert left == {"account": bob.name, "removed": True, "deleted": False, "wiped": False}
    assert [line["text"] for line in bob.ok("read", f"@{alice.name}")] == ["hello"]
    assert bob.run("send", f"@{alice.name}", "one more").line["error"] == "revoked"
    (wiped,) = bob.ok("sign-out", "--wipe", "--offline")
    assert wiped == {"account": bob.name, "removed": False, "deleted": False, "wiped": True}
    assert list((bob.home / "profiles").iterdir()) == []


def test_a_device_that_has_just_come_knows_whether_it_is_the_last(server: Server, tmp_path: Path) -> None:
    first, second = (Client(tmp_path / home, "dora", NEW) for home in ("first", "second"))
    first.sign_up(server.invite, "--wrap-with-password")
    second.ok("login", "dora", "--server", server.invite)
    for device, last in ((second, False), (first, True)):
        command = [word for word in device.command("sign-out", "--keep") if word != "--json"]
        ended = device.run_command(command)
        assert ended.code == 0
        assert ("last device" in ended.err + ended.out.decode()) == last


def test_an_account_is_deleted_for_everybody(server: Server, signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    bob.send(f"@{alice.name}", "goodbye")
    assert alice.waiting(1)[0]["text"] == "goodbye"
    asked = bob.run("delete-account")
    assert (asked.code, asked.line["error"]) == (2, "usage"), "nobody is there to type the name"
    with alice.listening() as listening:
        (left,) = bob.ok("delete-account", "--yes")
        assert left == {"account": bob.name, "removed": True, "deleted": True, "wiped": True}
        gone = listening.until(lambda line: line.get("event") == "deleted")
        assert gone["name"] == bob.name
    assert list((bob.home / "profiles").iterdir()) == []
    assert alice.run("send", f"@{bob.name}", "are you there?").line["error"] == "deleted"
    assert [line["text"] for line in alice.ok("read", f"@{bob.name}")] == ["goodbye"]
    assert bob.run("signup", bob.name, "--server", server.invite).line["error"] == "name-taken"
    sees = alice.run_command([*alice.command("admin", "sees", bob.name), "--data", str(server.data)])
    tables = {line["table"] for line in sees.lines}
    assert tables <= {
        "leaves",
        "newest_leaves",
        "accounts",
        "deletions",
        "devices",
        "conversations",
        "log_entries",
    }
    assert bob.name not in sees.out.decode()


def test_a_name_begins_anew_by_its_operators_word(
    server: Server, signed_up: SignedUp, tmp_path: Path
) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    bob.send(f"@{alice.name}", "before all is lost")
    alice.waiting(1)
    (made,) = alice.ok("admin", "reset", bob.name, "--data", str(server.data))
    assert made["reset"] == bob.name
    file = tmp_path / "code"
    file.write_text(made["code"] + "\n")
    anew = Client(tmp_path / "anew", bob.name)
    with alice.listening() as listening:
        words = ("--server", server.invite, "--new-identity", "--reset-code-file", str(file))
        (begun,) = anew.ok("signup", bob.name, *words)
        assert len(begun["recovery_key"].split()) == 24
        told = listening.until(lambda line: line.get("event") == "reset")
        assert (told["name"], told["state"]) == (bob.name, "announced")
        assert told["account_id"] == begun["account_id"]
    people = {line["name"]: line["account_id"] for line in alice.ok("people")}
    assert people[bob.name] != begun["account_id"], "a day later"
    early = anew.run("send", f"@{alice.name}", "too early", "--timeout", "2")
    assert (early.code, early.line["error"]) == (3, "reset-pending")
    again = Client(tmp_path / "again", bob.name).run("signup", bob.name, *words)
    assert again.line["error"] == "sign-up-closed"
    (kept,) = bob.ok("keep-name")
    assert kept == {"account": bob.name, "kept": True}
    assert bob.run("keep-name").line["error"] == "nothing-to-confirm"
    assert alice.run("admin", "reset", "nobody", "--data", str(server.data)).line["error"] == "unknown-person"
