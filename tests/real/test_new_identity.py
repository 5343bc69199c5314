"""A device is lost, and the account goes on under another identity: by the commands."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from coterie.screens.moments import Calendar
from tests.real.programs import Client, Server, environment
from tests.real.proxy import proxy_to
from tests.real.test_account_life import LOST_SECONDS, NEW, opens, ran

pytestmark = pytest.mark.slow
BEFORE_THE_SUCCESSION_BYTES = 6000
"""More than a client says before it gives a new identity, and less than with it."""


def words_of(tmp_path: Path, words: str) -> str:
    file = tmp_path / "words"
    file.write_text(words + "\n")
    return str(file)


def new_password(client: Client) -> tuple[str, str]:
    file = client.home.parent / "new-password"
    file.write_text(NEW + "\n")
    return "--new-password-file", str(file)


def test_who_lost_a_device_goes_on_under_another_identity(server: Server, tmp_path: Path) -> None:
    alice, bob = Client(tmp_path / "alice", "alice.of.loss"), Client(tmp_path / "bob", "bob.of.loss")
    words = alice.sign_up(server.invite)["recovery_key"]
    bob.sign_up(server.invite)
    phone, lost = (Client(tmp_path / home, alice.name, "forgotten-and-new-9") for home in ("phone", "lost"))
    key = ("--server", server.invite, "--recovery-key-file", words_of(tmp_path, words))
    (on_phone,) = phone.ok("login", alice.name, *key)
    (on_lost,) = lost.ok("login", alice.name, *key)
    alice.ok("devices")
    alice.ok("devices", "confirm", on_phone["device_id"])
    phone.ok("devices")
    alice.send(f"@{bob.name}", "before")
    assert bob.waiting(1)[0]["text"] == "before"
    with bob.listening() as listening:
        password = new_password(alice)
        removed, made = alice.ok(
            "devices", "revoke", on_lost["device_id"], "--lost", "--new-identity", *password
        )
        assert removed["revoked"] is True
        assert len(made["recovery_key"].split()) == 24
        told = listening.until(lambda line: line.get("change") == "identity")
        assert (told["name"], told["by"]) == (alice.name, "device")
    alice.set_password(NEW)
    refused = bob.run("send", f"@{alice.name}", "is it you?")
    assert (refused.code, refused.line["error"]) == (4, "identity-changed")
    today = Calendar().day_words(1000 * int(server.data.stat().st_mtime))
    assert f"published by an existing device on {today}" in refused.line["message"]
    assert "alice.of.loss has another identity than before" in refused.line["message"]
    bob.ok("verify", alice.name, "--accept-new")
    phone.send("everyone", "I follow")
    assert [line["text"] for line in phone.ok("search", "before")] == ["before"]
    with phone.listening() as on_phone_now:
        bob.send(f"@{alice.name}", "good")
        on_phone_now.until(lambda line: line.get("text") == "good")
    assert "good" in [line["text"] for line in alice.waiting(2)]
    people = {each["name"]: each["account_id"] for each in phone.ok("people")}
    assert people[alice.name] == made["account_id"]
    assert [each["text"] for each in alice.ok("search", "before")] == ["before"]
    thief = lost.run("send", f"@{bob.name}", "I am alice")
    assert thief.line["error"] == "revoked"
    back = Client(tmp_path / "back", alice.name, "forgotten-and-new-9")
    assert back.run("login", alice.name, *key).line["error"] == "wrong-credentials"
    words_of(tmp_path, made["recovery_key"])
    back.ok("login", alice.name, *key)
    bob.ok("ledger", "audit", server.invite)


def test_a_loss_without_a_word_of_yes_only_says_what_there_is_to_do(server: Server, tmp_path: Path) -> None:
    carol = Client(tmp_path / "carol", "carol.of.loss")
    words = carol.sign_up(server.invite)["recovery_key"]
    lost = Client(tmp_path / "lost", carol.name, "forgotten-and-new-9")
    key = ("--server", server.invite, "--recovery-key-file", words_of(tmp_path, words))
    (gone,) = lost.ok("login", carol.name, *key)
    command = [
        word for word in carol.command("devices", "revoke", gone["device_id"], "--lost") if word != "--json"
    ]
    ended = carol.run_command(command)
    assert ended.code == 0
    assert "coterie devices new-identity" in ended.out.decode()
    (made,) = carol.ok("devices", "new-identity", "--generate-passphrase")
    carol.set_password(made["passphrase"])
    (listed,) = carol.ok("devices")
    assert listed["this"] is True


def test_a_kill_before_the_answer_shuts_nobody_out(own_server: Server, tmp_path: Path) -> None:
    """The server has the new identity, and this machine dies before it hears of it. Old and new password open
    the profile, and the next connection follows."""
    bob = Client(tmp_path / "bob", "bob")
    old = bob.password_file.read_text().strip()
    with proxy_to(own_server.port) as proxy:
        before = bob.sign_up(own_server.behind(proxy.port))["account_id"]
        command = bob.command("devices", "new-identity", *new_password(bob))
        proxy.lose_answer_after(BEFORE_THE_SUCCESSION_BYTES, then_port=0)
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment()) as process:
            assert proxy.lost.wait(LOST_SECONDS)
            process.kill()
        assert opens(bob, old)
        assert opens(bob, NEW)
        proxy.target_port = own_server.port
        bob.set_password(NEW)
        ran(bob, bob.command("send", "everyone", "here"))
        (me,) = [each for each in bob.ok("people") if each["name"] == "bob"]
        assert me["account_id"] != before
        assert opens(bob, NEW)
        assert not opens(bob, old)
