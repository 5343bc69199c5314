"""Random words that people say are found nowhere but on their screens."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.programs import Client, Server
from tests.real.proxy import proxy_to

pytestmark = pytest.mark.slow


def disguises(word: str) -> Iterator[bytes]:
    """The word as text, hex and base64 hold it; base64 at each of the three places where it can begin."""
    data = word.encode()
    yield data
    yield data.hex().encode()
    yield word.encode("utf-16-le")
    for shift in range(3):
        inside = base64.b64encode(bytes(shift) + data)
        yield inside[4 if shift else 0 : -4]


def files_below(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from (file for file in folder.rglob("*") if file.is_file())


def found_in(data: bytes, words: list[str]) -> list[str]:
    return [word for word in words if any(disguise in data for disguise in disguises(word))]


def test_the_search_finds_what_is_there() -> None:
    word = secrets.token_hex(12)
    for prefix in (b"", b"x", b"xx"):
        assert found_in(base64.b64encode(prefix + word.encode() + b"tail"), [word]) == [word]
    assert found_in(word.encode().hex().encode(), [word]) == [word]
    assert found_in(b"nothing of it", [word]) == []


def test_words_are_found_neither_at_the_server_nor_on_the_wire_nor_on_a_disk(
    own_server: Server, tmp_path: Path
) -> None:
    server = own_server
    with proxy_to(server.port) as proxy:
        invite = server.behind(proxy.port)
        alice, bob, carol = (Client(tmp_path / name, name) for name in ("alice", "bob", "carol"))
        recovery_keys = [client.sign_up(invite)["recovery_key"] for client in (alice, bob, carol)]
        words = [secrets.token_hex(12) for _ in range(4)]
        with bob.listening() as bobs:
            alice.send("@bob", f"the word is {words[0]}")
            assert words[0] in bobs.message()["text"]
        alice.send("@bob", f"while you are away: {words[1]}")
        alice.send("everyone", words[2])
        assert {line["text"].split()[-1] for line in bob.waiting(2)} == {words[1], words[2]}
        assert carol.waiting(1)[0]["text"] == words[2]
        bob.send("@alice", words[3])
        assert alice.waiting(1)[0]["text"] == words[3]
        while_running = [file.read_bytes() for file in files_below(server.folder)]
        recorded = bytes(proxy.recorded)
    assert server.stop() == 0
    passwords = [client.password_file.read_text().strip() for client in (alice, bob, carol)]
    secret = [*words, *passwords, *recovery_keys, *(key.split()[0] * 3 for key in recovery_keys)]
    homes = [client.home for client in (alice, bob, carol)]
    assert len(recorded) > 50_000
    assert found_in(recorded, secret) == []
    places = [*while_running, *(file.read_bytes() for file in files_below(server.folder, *homes))]
    assert sum(map(len, places)) > 500_000
    assert [found_in(place, secret) for place in places] == [[]] * len(places)


def test_the_files_of_a_profile_are_for_their_owner_alone(own_server: Server, tmp_path: Path) -> None:
    bob = Client(tmp_path / "bob", "bob")
    bob.sign_up(own_server.invite)
    with bob.listening():
        for file in files_below(bob.home, own_server.data):
            assert file.stat().st_mode & 0o077 == 0, file
            assert file.parent.stat().st_mode & 0o077 == 0, file.parent
