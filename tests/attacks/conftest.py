"""Bob's program, with Alice, Carol and Mallory on the same server. Mallory is a member like any other."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from coterie.base.ids import AccountId, UserName
from coterie.base.signing import IdentityKeys
from coterie.client.store.profiles import new_profile
from coterie.client.store.sqlite import ClientStore
from tests.attacks.couple import Couple, Talker
from tests.attacks.peers import Peer
from tests.attacks.street import Ledger, Server, Victim
from tests.village.conftest import village

__all__ = ["village"]


@pytest.fixture(scope="session")
def identities() -> dict[str, IdentityKeys]:
    """Made once: RSA takes its time."""
    return {name: IdentityKeys.generate() for name in ("alice", "bob", "carol", "mallory")}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ClientStore]:
    place = new_profile(tmp_path, UserName("bob"), AccountId(bytes(32)))
    opened = ClientStore.open(place, secrets.token_bytes(32))
    yield opened
    opened.close()


@pytest.fixture
def alice(identities: dict[str, IdentityKeys]) -> Peer:
    return Peer(identities["alice"], "alice")


@pytest.fixture
def mallory(identities: dict[str, IdentityKeys]) -> Peer:
    return Peer(identities["mallory"], "mallory")


@pytest.fixture
def server(alice: Peer, mallory: Peer) -> Server:
    made = Server(Ledger())
    for peer in (alice, mallory):
        made.peers[peer.account] = peer
    return made


@pytest.fixture
def bob(
    identities: dict[str, IdentityKeys], store: ClientStore, server: Server, alice: Peer, mallory: Peer
) -> Victim:
    """Connected, and knows everybody; the ledger is as the peers are when this is asked for."""
    victim = Victim(identities["bob"], "bob", store, server)
    server.peers[victim.account] = victim
    for peer in (alice, mallory, victim):
        server.ledger.add(peer.signed)
    victim.connect()
    return victim


@pytest.fixture
def couple(tmp_path: Path, identities: dict[str, IdentityKeys]) -> Iterator[Couple]:
    """Alice and bob, two programs."""
    with met(tmp_path, identities, ("alice", "alice"), ("bob", "bob")) as both:
        yield both


@contextmanager
def met(
    folder: Path,
    identities: dict[str, IdentityKeys],
    one: tuple[str, str],
    other: tuple[str, str],
    *,
    start: bool = True,
) -> Iterator[Couple]:
    """Two programs on a server of their own. Each: whose identity it has, and what the ledger calls it. Not
    yet connected where they are not to start."""
    ledger = Ledger()
    talkers = []
    for identity, name in (one, other):
        place = new_profile(folder / f"{identity} as {name}", UserName(name), AccountId(bytes(32)))
        store = ClientStore.open(place, secrets.token_bytes(32))
        talkers.append(Talker(identities[identity], name, store, ledger))
    yield Couple.meet(*talkers) if start else Couple(*talkers)
    for each in talkers:
        each.store.close()
