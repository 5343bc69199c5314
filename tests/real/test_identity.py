"""A false server, a wrong certificate, an answer that is lost, a server that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.conftest import StartServer
from tests.real.programs import Client, Server
from tests.real.proxy import proxy_to

pytestmark = pytest.mark.slow

SIGN_UP_BYTES = 12_000
"""A sign-up is larger, everything before it smaller."""


def test_another_server_under_the_same_address_stops_everything(
    start_server: StartServer, tmp_path: Path
) -> None:
    own_server, false = start_server(), start_server()
    with proxy_to(own_server.port) as proxy:
        alice, bob = (Client(tmp_path / name, name) for name in ("alice", "bob"))
        for client in (alice, bob):
            client.sign_up(own_server.behind(proxy.port))
        alice.send("@bob", "to the true server")
        proxy.target_port = false.port
        for command in (["send", "@bob", "to the false one"], ["listen", "--for", "20"], ["people"]):
            ended = alice.run(*command)
            assert (ended.code, ended.lines[-1]["error"]) == (4, "identity-changed"), command
        newcomer = Client(tmp_path / "carol", "carol")
        ended = newcomer.run("signup", "carol", "--server", own_server.behind(proxy.port))
        assert (ended.code, ended.line["error"]) == (4, "identity-changed")
        login = newcomer.run("login", "alice", "--server", own_server.behind(proxy.port))
        assert (login.code, login.line["error"]) == (4, "identity-changed")
        proxy.target_port = own_server.port
        alice.send("@bob", "to the true one again")
        assert [line["text"] for line in bob.waiting(2)] == ["to the true server", "to the true one again"]
    assert false.stop() == 0
    assert b"alice" not in (false.data / "server.db").read_bytes()


def test_a_lost_answer_to_a_sign_up_is_asked_again(own_server: Server, tmp_path: Path) -> None:
    bob = Client(tmp_path / "bob", "bob")
    with proxy_to(own_server.port) as proxy:
        proxy.lose_answer_after(SIGN_UP_BYTES)
        line = bob.sign_up(own_server.behind(proxy.port))
        assert proxy.lost_answers == 1
        assert proxy.connections >= 2
        assert line["account"] == "bob"
        assert len(line["recovery_key"].split()) == 24
        bob.send("@bob", "a note")
        assert len(bob.ok("people")) == 1


def test_a_sign_up_whose_process_dies_before_the_answer_ends_well(own_server: Server, tmp_path: Path) -> None:
    bob = Client(tmp_path / "bob", "bob")
    with proxy_to(own_server.port) as proxy:
        proxy.lose_answer_after(SIGN_UP_BYTES, then_port=0)
        with bob.running("signup", "bob", "--server", own_server.behind(proxy.port)) as sign_up:
            assert proxy.lost.wait(60)
            sign_up.kill()
        proxy.target_port = own_server.port
        (person,) = bob.ok("people")
        assert (person["name"], person["online"]) == ("bob", True)


def test_a_server_that_is_away_leaves_the_message_in_the_outbox(own_server: Server, tmp_path: Path) -> None:
    alice, bob = (Client(tmp_path / name, name) for name in ("alice", "bob"))
    for client in (alice, bob):
        client.sign_up(own_server.invite)
    alice.ok("people")
    own_server.stop()
    ended = alice.run("send", "@bob", "when you can", "--timeout", "0.5")
    assert (ended.code, ended.line["state"], ended.line["conversation"]) == (3, "queued", "@bob")
    unknown = alice.run("send", "@nobody", "hi", "--timeout", "0.5")
    assert (unknown.code, unknown.line["error"]) == (3, "unreachable")
    assert [line["text"] for line in alice.ok("read", "@bob")] == ["when you can"]
    assert alice.ok("read", "@bob")[0]["state"] == "queued"
    assert alice.ok("search", "when")[0]["id"] == ended.line["id"]
    assert {line["online"] for line in alice.ok("people")} == {False}
    own_server.start()
    alice.send("@bob", "and this after it")
    assert [line["text"] for line in bob.waiting(2)] == ["when you can", "and this after it"]


def test_one_process_owns_a_profile(own_server: Server, tmp_path: Path) -> None:
    bob = Client(tmp_path / "bob", "bob")
    bob.sign_up(own_server.invite)
    with bob.listening() as listening:
        ended = bob.run("people")
    assert (ended.code, ended.line["error"]) == (3, "profile-in-use")
    assert str(listening.process.pid) in ended.line["message"]


def test_sign_up_can_be_closed(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server("--invite-only")
    bob = Client(tmp_path / "bob", "bob")
    plain = server.invite.partition("#v1.")[2].split(".")[0]
    closed = f"coterie://{server.listen}/#v1.{plain}"
    ended = bob.run("signup", "bob", "--server", closed)
    assert (ended.code, ended.line["error"]) == (1, "sign-up-closed")
    assert server.invite != closed
    assert bob.sign_up(server.invite)["account"] == "bob"
