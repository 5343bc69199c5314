"""A street on which one person is lied to, and what it takes to make a server say each kind of frame."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import msgspec
import pytest

import coterie
from coterie.base import limits
from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.invite import parse_invite
from coterie.base.signing import IdentityKeys
from coterie.client.api.me import Me
from coterie.client.events import LinkState
from coterie.ledger.manifest import DeviceEntry
from coterie.wire.frames import (
    Accepted,
    Accounts,
    Claimed,
    Leaves,
    LedgerGrew,
    LogEntries,
    Presence,
    PublishManifest,
    Ready,
    ServerFrame,
    Welcome,
)
from tests.ledger.accounts import NOW_MS, after
from tests.server.people import Device, Person
from tests.server.raw_client import RawClient, connected
from tests.village.conftest import PASSWORD, PATIENCE_SECONDS, Heard, Village, acquainted, knows
from tests.village.liar import Liar, Said

Told = Callable[[ServerFrame], Iterable[Said]]


class Street:
    """Alice is lied to, bob is not. Dave changes his devices, so that the ledger grows."""

    def __init__(
        self, village: Village, liar: Liar, alice: Me, bob: Me, dave: Person, line: RawClient
    ) -> None:
        self.village = village
        self.liar = liar
        self.alice = alice
        self.bob = bob
        self.dave = dave
        self._line = line
        self._requests = 100
        self._leaves = 0
        self._heard_by_bob = Heard(bob)
        self._heard = Heard(alice)
        self.said = {"hello"}
        self.shown: list[str] = []
        self.stops: dict[str, Code] = {}

    async def lied_to(self, kind: type[ServerFrame], name: str, told: Told) -> None:
        """The next frame of that kind is a lie, while a message goes each way; then the truth, on a new
        connection. Both messages arrive."""
        fired = asyncio.Event()

        def lie(frame: ServerFrame) -> Iterable[Said]:
            if type(frame) is not kind or fired.is_set():
                return (frame,)
            fired.set()
            return told(frame)

        self.said |= {f"{name} from bob", f"{name} from alice", f"{name} to all"}
        self.liar.lie = lie
        await self._make_it_say(kind, name)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await fired.wait()
        self.liar.lie = None
        signed_in = self.liar.signed_in
        self.liar.hang_up_on_the_victim()
        await self._settled(name, signed_in)

    async def _make_it_say(self, kind: type[ServerFrame], name: str) -> None:
        if kind in (Leaves, LedgerGrew, Accounts, Claimed):
            await self._change_dave()
        if kind is Claimed:
            self.liar.hang_up_on_the_victim()
            trust = self.alice._core.trust
            async with asyncio.timeout(PATIENCE_SECONDS):
                while trust.view.size < self._leaves or not trust.synced:
                    await asyncio.sleep(0)
            await self.alice.post("everyone", f"{name} to all")
        await self.bob.post("@alice", f"{name} from bob")
        await self.alice.post("@bob", f"{name} from alice")
        if kind in (Welcome, Ready, Presence):
            self.liar.hang_up_on_the_victim()

    async def _change_dave(self) -> None:
        dave = self.dave
        *others, last = dave.signed.manifest.devices
        fresh = Device(dave.account).entry(dave.first.id)
        if others:
            last = _revoked(last)
        dave.signed = dave.sign(after(dave.signed, (*others, last, fresh)))
        self._requests += 1
        answer = await self._line.ask(PublishManifest(self._requests, dave.signed.pack()))
        assert isinstance(answer, Accepted), answer
        self._leaves = answer.seq + 1

    async def _settled(self, name: str, signed_in: int) -> None:
        """Both messages are where they belong, and alice has a new connection."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (
                self.liar.signed_in > signed_in
                and self.alice.link is LinkState.LIVE
                and (_replaces_what_is_stored(name) or f"{name} from bob" in self.all_shown())
                and f"{name} from alice" in [each.text for each in self._heard_by_bob.messages()]
            ):
                if self.alice.link is LinkState.STOPPED:
                    await self._start_again(name)
                await asyncio.sleep(0)

    async def _start_again(self, name: str) -> None:
        """A security stop ends a program; the person looks, and starts it again. What was stored in the turn
        that it ended in was not told any more: a screen that is opened again shows it."""
        try:
            await self.alice.wait_live(0)
        except coterie.CoterieError as error:
            self.stops[name] = error.code
        await self.alice.close()
        await self._heard.to_the_end()
        self.shown += [message.text for message in self._heard.messages()]
        self.alice = await coterie.open(self.village.home("alice"), password=PASSWORD)
        found = self.alice.history(self.alice.resolve("@bob"), limit=1)
        self.shown += [each.text for each in found if not each.own and each.text not in self.shown]
        self._heard = Heard(self.alice)
        await self.village.keep(self.alice)

    def all_shown(self) -> list[str]:
        """Every text that alice was told of."""
        return self.shown + [message.text for message in self._heard.messages()]


def _replaces_what_is_stored(place: str) -> bool:
    """A lie inside an entry of a stream: as if the server had thrown the true one away. A gap is told of
    later."""
    return place.startswith(".entries[0]") and ".seq" not in place


def _revoked(entry: DeviceEntry) -> DeviceEntry:
    return msgspec.structs.replace(entry, revoked_ms=NOW_MS + 1, name="", curve25519=b"")


def lying(monkeypatch: pytest.MonkeyPatch) -> Liar:
    """Every message brings a new session, so that every kind of frame comes often."""
    monkeypatch.setattr(limits, "ROTATE_DIRECT_MESSAGES", 1)
    monkeypatch.setattr(limits, "OLM_FAILURES_PER_HOUR", 1_000_000)
    monkeypatch.setattr(limits, "BACKOFF_FIRST_SECONDS", 0.06)
    monkeypatch.setattr(limits, "BACKOFF_LAST_SECONDS", 0.1)
    monkeypatch.setattr(limits, "MANIFESTS_PER_DAY", 1_000_000)
    monkeypatch.setattr(limits, "MANIFEST_TRIES_BURST", 1_000_000.0)
    return Liar(monkeypatch)


@asynccontextmanager
async def street(village: Village, liar: Liar) -> AsyncIterator[Street]:
    await village.stop()
    await village.start()
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    now_ms = SystemClock().wall_ms()
    dave = Person(IdentityKeys.generate(), "dave", now_ms)
    line = await connected(parse_invite(village.invite), now_ms)
    assert isinstance(await line.ask(dave.sign_up()), Accepted)
    await line.sign_in(dave.device)
    await knows(alice, {dave.name})
    liar.victim = alice.account
    opened = Street(village, liar, alice, bob, dave, line)
    await opened.lied_to(LogEntries, "truth", lambda frame: (frame,))
    try:
        yield opened
    finally:
        await line.close()
