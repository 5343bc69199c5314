"""A member whose program lies in every field of what it seals: nothing false is shown, nobody stops."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import cast

import msgspec
import pytest

from coterie.base import limits
from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.domains import Domain, prefix
from coterie.base.ids import AccountId
from coterie.base.invite import parse_invite
from coterie.base.signing import IdentityKeys
from coterie.client.api.me import Me
from coterie.client.core.views import REASONS
from coterie.client.events import MessageState
from coterie.e2ee.group import InnerMessage, KeyShare, LeftOut, Parent
from coterie.e2ee.pairwise import OlmPlaintext
from coterie.wire.frames import Accepted
from tests.mutants import mutant, mutants
from tests.server.people import Person
from tests.server.raw_client import connected
from tests.village.conftest import Heard, Village, acquainted, knows

LIES_AT_ONCE = 8

NUMBER_OF_THE_NEXT = ".n one more"
"""Who says a number twice is heard with it once (rule 14): that is tests/attacks/test_counts.py."""

Sealed = InnerMessage | KeyShare | OlmPlaintext


class Forger:
    """Changes what one account seals. armed: what to seal instead of the next one of that kind."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: dict[type, Sealed] = {}
        self.armed: tuple[type, Callable[[Sealed], bytes]] | None = None
        self.account = AccountId(b"")
        for kind in (InnerMessage, KeyShare, OlmPlaintext):
            monkeypatch.setattr(kind, "pack", self._packing(kind))

    @property
    def is_armed(self) -> bool:
        return self.armed is not None

    def _packing(self, kind: type[Sealed]) -> Callable[[Sealed], bytes]:
        honest = cast("Callable[[Sealed], bytes]", kind.pack)

        def pack(value: Sealed) -> bytes:
            if not self._is_mine(value):
                return honest(value)
            self.seen[kind] = value
            if self.armed is None or self.armed[0] is not kind:
                return honest(value)
            (_, forged), self.armed = self.armed, None
            return forged(value)

        return pack

    def _is_mine(self, value: Sealed) -> bool:
        match value:
            case InnerMessage(account=account):
                return account == self.account
            case OlmPlaintext(sender=sender):
                return sender.account == self.account
            case KeyShare():
                return bool(self.account)


@pytest.fixture
def forger(monkeypatch: pytest.MonkeyPatch) -> Forger:
    """Every message brings a new session, and failures do not close the door (encryption rule 10)."""
    monkeypatch.setattr(limits, "ROTATE_DIRECT_MESSAGES", 1)
    monkeypatch.setattr(limits, "OLM_FAILURES_PER_HOUR", 1_000_000)
    return Forger(monkeypatch)


def _lies(
    kind: type[Sealed], domain: Domain, seen: Sealed
) -> Iterator[tuple[str, Callable[[Sealed], bytes]]]:
    """Every place of a value as it was seen, applied to the one that is sealed then."""

    def lie(place: str) -> Callable[[Sealed], bytes]:
        def forged(value: Sealed) -> bytes:
            wrong = mutant(_filled(value), place)
            try:
                return prefix(domain) + msgspec.msgpack.encode(wrong)
            except OverflowError:
                return prefix(domain)

        return forged

    for place, _ in mutants(_filled(seen)):
        if place == NUMBER_OF_THE_NEXT:
            continue
        yield f"{kind.__name__}{place}", lie(place)


def _filled(value: Sealed) -> Sealed:
    """With something in every row, so that it can be wrong."""
    if isinstance(value, InnerMessage):
        parents = value.parents or (Parent(b"h" * 32, value.device, 1),)
        left_out = (LeftOut(value.account, value.device, "no-prekey"),)
        return msgspec.structs.replace(value, parents=parents, left_out=left_out)
    return value


async def _hears(bob: Heard, mallory: Me, text: str) -> None:
    await mallory.post("@bob", text)
    await bob.until(lambda _: text in [message.text for message in bob.messages()])


@pytest.mark.asyncio
@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "domain"),
    [
        (InnerMessage, Domain.INNER_MESSAGE),
        (KeyShare, Domain.KEY_SHARE),
        (OlmPlaintext, Domain.OLM_PLAINTEXT),
    ],
)
async def test_whatever_a_member_seals_the_next_message_comes(
    village: Village,
    forger: Forger,
    caplog: pytest.LogCaptureFixture,
    kind: type[Sealed],
    domain: Domain,
) -> None:
    bob, mallory = await village.person("bob"), await village.person("mallory")
    forger.account = mallory.account
    await acquainted(bob, mallory)
    heard = Heard(bob)
    await _hears(heard, mallory, "first")
    said = ["first"]
    lies = list(_lies(kind, domain, forger.seen[kind]))
    for number, (place, lie) in enumerate(lies):
        forger.armed = (kind, lie)
        said.append(f"lie {place}")
        await mallory.send("@bob", said[-1])
        assert not forger.is_armed
        if number % LIES_AT_ONCE == LIES_AT_ONCE - 1 or number == len(lies) - 1:
            said.append(f"true after {number}")
            await _hears(heard, mallory, said[-1])
    texts = [message.text for message in heard.messages()]
    assert all(text.startswith("lie InnerMessage.body") for text in set(texts) - set(said))
    assert len(texts) == len(set(texts)), "nothing comes twice"
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    reasons = {mark.reason for message in heard.messages() for mark in message.not_for}
    assert reasons <= REASONS
    assert len(lies) > 20


@pytest.mark.asyncio
@pytest.mark.slow
async def test_a_signed_key_that_is_no_key_keeps_nobody_from_writing(
    village: Village, caplog: pytest.LogCaptureFixture
) -> None:
    """Mallory's X-Wing prekey is noise, signed as it should be: she is left out, others get the message."""
    alice, bob = await village.person("alice"), await village.person("bob")
    now_ms = SystemClock().wall_ms()
    mallory = Person(IdentityKeys.generate(), "mallory", now_ms)
    line = await connected(parse_invite(village.invite), now_ms)
    assert isinstance(await line.ask(mallory.sign_up()), Accepted)
    await knows(alice, {bob.name, mallory.name})
    await knows(bob, {alice.name})
    heard = Heard(bob)
    sent = await alice.send("everyone", "hello all")
    assert sent.state is MessageState.SENT
    assert await heard.texts(1) == ["hello all"]
    (message,) = heard.messages()
    assert [(each.name, each.reason) for each in message.not_for] == [("mallory", Code.BAD_PREKEY)]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    await line.close()
