"""A second machine: by generated passphrase alone, or by own password and recovery key."""

from __future__ import annotations

from pathlib import Path

import pytest

from coterie.e2ee.recovery import is_passphrase
from tests.real.conftest import SignedUp
from tests.real.programs import Client, Line, Server

pytestmark = pytest.mark.slow


def texts(lines: list[Line]) -> list[str]:
    return [line["text"] for line in lines]


def check_both_devices(bob: Client, second: Client, alice: Client) -> None:
    """From now on both machines of bob get everything, and what he writes on one appears on the other."""
    with bob.listening() as on_first, second.listening() as on_second:
        alice.send(f"@{bob.name}", "to both")
        assert on_first.message()["text"] == on_second.message()["text"] == "to both"
        alice.send("everyone", "to all")
        assert on_first.message()["text"] == on_second.message()["text"] == "to all"
    with bob.listening() as on_first:
        second.send(f"@{alice.name}", "from the second")
        line = on_first.message()
        assert (line["text"], line["own"], line["from"]) == ("from the second", True, bob.name)
        assert line["conversation"] == f"@{alice.name}"
    bob.send(f"@{alice.name}", "from the first")
    line = second.waiting(1)[0]
    assert (line["text"], line["own"]) == ("from the first", True)
    assert texts(alice.waiting(2)) == ["from the second", "from the first"]
    expected = ["to both", "from the second", "from the first"]
    assert texts(second.ok("read", f"@{alice.name}")) == expected
    assert texts(bob.ok("read", f"@{alice.name}"))[-3:] == expected


def test_a_generated_passphrase_alone_makes_a_second_device(
    server: Server, signed_up: SignedUp, tmp_path: Path
) -> None:
    alice = signed_up("alice")
    bob = Client(tmp_path / "bob", "bob.of.passphrase")
    with_passphrase = [*bob.command("signup", bob.name, "--generate-passphrase", "--server", server.invite)]
    line = run_without_password_file(with_passphrase, bob)
    assert is_passphrase(line["passphrase"])
    bob.set_password(line["passphrase"])
    alice.send(f"@{bob.name}", "before the second device")
    assert bob.waiting(1)[0]["text"] == "before the second device"
    second = Client(tmp_path / "second", bob.name, line["passphrase"])
    (logged_in,) = second.ok("login", bob.name, "--server", server.invite)
    assert logged_in["account_id"] == line["account_id"]
    assert logged_in["device_id"] != line["device_id"]
    assert "recovery_key" not in logged_in
    check_both_devices(bob, second, alice)
    devices = {device["id"]: device for device in bob.ok("devices")}
    assert devices[line["device_id"]]["this"] is True
    assert devices[logged_in["device_id"]]["approved_by_recovery"] is True


def run_without_password_file(command: list[str], client: Client) -> Line:
    """A command that makes its own password takes none."""
    at = command.index("--password-file")
    del command[at : at + 2]
    return client.run_command(command).line


def test_a_password_of_ones_own_needs_the_recovery_key(
    server: Server, signed_up: SignedUp, tmp_path: Path
) -> None:
    alice = signed_up("alice")
    bob = Client(tmp_path / "bob", "bob.of.recovery")
    line = bob.sign_up(server.invite)
    second = Client(tmp_path / "second", bob.name, bob.password_file.read_text().strip())
    login = ("login", bob.name, "--server", server.invite)
    without = second.run(*login)
    assert (without.code, without.line["error"]) == (1, "needs-recovery-key")
    file = tmp_path / "recovery"
    file.write_text(line["recovery_key"].replace(" ", "\n") + "\n")
    second.ok(*login, "--recovery-key-file", str(file))
    check_both_devices(bob, second, alice)


def test_a_password_that_wraps_the_account_is_enough(server: Server, tmp_path: Path) -> None:
    bob = Client(tmp_path / "bob", "bob.of.wrapping")
    bob.sign_up(server.invite, "--wrap-with-password")
    second = Client(tmp_path / "second", bob.name, bob.password_file.read_text().strip())
    second.ok("login", bob.name, "--server", server.invite)
    assert len(second.ok("devices")) == 2
    check_question(bob, second)


def check_question(bob: Client, second: Client) -> None:
    """The first machine asks about the second one, in every run, until it is answered; then no more."""
    (this,) = [device["id"] for device in second.ok("devices") if device["this"]]
    for _ in range(2):
        with bob.running("listen") as listening:
            line = listening.until(lambda line: line["event"] == "question")
            assert (line["device_id"], line["by_recovery"]) == (this, True)
    assert {each["id"]: each["asked"] for each in bob.ok("devices")}[this] is True
    ended = bob.run("devices", "confirm", "no such id")
    assert (ended.code, ended.line["error"]) == (1, "unknown-device")
    assert bob.ok("devices", "confirm", this) == []
    with bob.listening() as listening:
        assert [line for line in listening.said if line["event"] == "question"] == []
    assert not any(each["asked"] for each in bob.ok("devices"))
    assert not any(each["asked"] for each in second.ok("devices"))


def test_wrong_credentials_are_refused_alike_for_every_name(
    server: Server, signed_up: SignedUp, tmp_path: Path
) -> None:
    bob = signed_up("bob")
    for name in (bob.name, "nobody.has.this"):
        stranger = Client(tmp_path / f"stranger-{name}", name)
        ended = stranger.run("login", name, "--server", server.invite)
        assert (ended.code, ended.line["error"]) == (1, "wrong-credentials")
        assert stranger.run("people").line["error"] == "no-profile"


def test_a_wrong_password_does_not_open_a_profile(signed_up: SignedUp) -> None:
    bob = signed_up("bob")
    bob.set_password("another password entirely")
    ended = bob.run("people")
    assert (ended.code, ended.line["error"]) == (1, "wrong-credentials")


def test_a_wrong_recovery_key_is_refused(server: Server, signed_up: SignedUp, tmp_path: Path) -> None:
    bob, alice_file = signed_up("bob"), tmp_path / "recovery"
    alice = Client(tmp_path / "alice", "alice.of.recovery")
    alice_file.write_text(alice.sign_up(server.invite)["recovery_key"])
    second = Client(tmp_path / "second", bob.name, bob.password_file.read_text().strip())
    login = ("login", bob.name, "--server", server.invite, "--recovery-key-file")
    ended = second.run(*login, str(alice_file))
    assert (ended.code, ended.line["error"]) == (1, "wrong-credentials")
    alice_file.write_text("these are no words of a recovery key")
    ended = second.run(*login, str(alice_file))
    assert (ended.code, ended.line["error"]) == (1, "wrong-credentials")


def test_devices_are_renamed_and_removed_from_the_command_line(server: Server, tmp_path: Path) -> None:
    """By the beginning of an id where it is enough; a removed one says so and still reads its own store."""
    bob = Client(tmp_path / "bob", "bob.of.devices")
    line = bob.sign_up(server.invite, "--wrap-with-password")
    password = bob.password_file.read_text().strip()
    others = [Client(tmp_path / name, bob.name, password) for name in ("second", "third")]
    ids = [other.ok("login", bob.name, "--server", server.invite)[0]["device_id"] for other in others]
    bob.send("everyone", "kept")
    others[0].waiting(1)
    (renamed,) = bob.ok("devices", "rename", ids[0][:9], "kitchen")
    assert (renamed["id"], renamed["name"], renamed["marked"]) == (ids[0], "kitchen", True)
    for action in (("revoke", ""), ("revoke", "no such id"), ("deny", line["device_id"])):
        ended = bob.run("devices", *action)
        assert (ended.code, ended.line["error"]) == (1, "unknown-device")
    (removed,) = bob.ok("devices", "revoke", ids[0])
    assert (removed["revoked"], "renewal_due" in removed) == (True, False)
    (lost,) = bob.ok("devices", "deny", ids[1][:9].upper())
    assert (lost["revoked"], lost["renewal_due"]) == (True, True)
    (again,) = bob.ok("devices", "revoke", ids[1], "--lost")
    assert (again["revoked"], again["renewal_due"]) == (True, True)
    for other in others:
        ended = other.run("devices")
        assert (ended.code, ended.line["error"]) == (1, "revoked")
    assert texts(others[0].ok("read", "everyone")) == ["kept"]
    assert [each["revoked"] for each in bob.ok("devices")] == [False, True, True]
