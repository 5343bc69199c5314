"""A server that lies in every field of every frame: nothing false is shown, nothing stored is lost, and once
it is honest again everything goes on, unless what it said proves a fraud."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Iterator
from typing import cast

import pytest

import coterie
from coterie.base.codes import Code
from coterie.base.errors import RemoteError, SecurityStop
from coterie.client.api.me import Me
from coterie.wire.frames import (
    Accepted,
    Accounts,
    Claimed,
    Leaves,
    LedgerGrew,
    LogEntries,
    MailboxEntries,
    Pong,
    Presence,
    Ready,
    Refusal,
    Salt,
    ServerFrame,
    VaultOpened,
    Welcome,
)
from coterie.wire.frames.messages import OnlinePerson
from coterie.wire.frames.shared import DeviceRef
from coterie.wire.refusals import SERVER_CODES
from tests.mutants import mutant, mutants
from tests.village.conftest import Village
from tests.village.liar import Liar, Said
from tests.village.lied_to import Street, Told, lying, street


@pytest.fixture
def liar(monkeypatch: pytest.MonkeyPatch) -> Liar:
    return lying(monkeypatch)


FRAUD = {Code.IDENTITY_CHANGED, Code.LEDGER_SPLIT}


def _lie_at(place: str) -> Told:
    return lambda frame: (cast("ServerFrame", mutant(frame, place)),)


OFTEN = (
    Welcome,
    Ready,
    Accepted,
    Leaves,
    LedgerGrew,
    Accounts,
    Claimed,
    MailboxEntries,
    LogEntries,
    Presence,
)


@pytest.mark.asyncio
@pytest.mark.slow
@pytest.mark.parametrize("kind", OFTEN, ids=lambda kind: kind.__name__)
async def test_a_lie_in_any_field_stops_nothing_for_good(
    village: Village, liar: Liar, kind: type[ServerFrame], caplog: pytest.LogCaptureFixture
) -> None:
    async with street(village, liar) as here:
        await here.lied_to(kind, "first", lambda frame: (frame,))
        places = [place for place, _ in mutants(liar.told[kind])]
        for place in places:
            await here.lied_to(kind, place, _lie_at(place))
        await _checked(here, caplog)
        print(f"{len(places)} lies, security stops at {sorted(here.stops)}")
        assert set(here.stops.values()) <= FRAUD


async def _checked(here: Street, caplog: pytest.LogCaptureFixture) -> None:
    """One true round more; nothing false, nothing twice, no bug in either program."""
    await here.lied_to(Accepted, "last", lambda frame: (frame,))
    shown = here.all_shown()
    assert set(shown) <= here.said
    assert len(shown) == len(set(shown))
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert [error for error in errors if not error.startswith("security stop")] == []


def _refusals(true: Accepted) -> Iterator[tuple[str, Refusal]]:
    """Instead of an answer that says yes: every word a server has, and some that it has not."""
    for code in sorted(SERVER_CODES):
        yield f"refused {code}", Refusal(true.request, code.value)
    for code in (Code.BUSY, Code.REVOKED, Code.SLOW_READER, Code.VERSION, Code.DISK):
        yield f"ended {code}", Refusal(0, code.value)
    stranger = DeviceRef(bytes(32), bytes(16))
    stale = Refusal(true.request, Code.STALE_VIEW.value, 1, (stranger,), 1)
    yield from ((f"stale{place}", cast("Refusal", wrong)) for place, wrong in mutants(stale))


@pytest.mark.asyncio
@pytest.mark.slow
async def test_a_refusal_that_is_a_lie_loses_no_message(
    village: Village, liar: Liar, caplog: pytest.LogCaptureFixture
) -> None:
    async with street(village, liar) as here:
        names = [name for name, _ in _refusals(Accepted(1, 1))]
        for name in names:

            def lie(frame: ServerFrame, name: str = name) -> Iterable[Said]:
                assert isinstance(frame, Accepted)
                return (dict(_refusals(frame))[name],)

            await here.lied_to(Accepted, name, lie)
        await _checked(here, caplog)


def _unasked(here: Street) -> Iterator[tuple[str, ServerFrame]]:
    """What nobody asked for, what was said before, and what may not be said now."""
    told = here.liar.told
    for kind in (Welcome, Ready, Accounts, Leaves, LedgerGrew, MailboxEntries, LogEntries):
        yield f"again {kind.__name__}", told[kind]
    yield "a salt", Salt(1, bytes(16), 1, 1, 1)
    yield "a vault", VaultOpened(1, b"", b"m")
    yield "another answer", Accepted(1 << 40, 1)
    yield "an answer to nothing", Accepted(0, 1)
    yield "keys", Claimed(1 << 40, ())
    yield "no keys", Claimed(1 << 40, ())
    somebody = OnlinePerson(bytes(32), "mallory", True)
    everybody = (somebody, OnlinePerson(here.bob.account, "mallory", True))
    presence = Presence(everybody, True)
    yield from ((f"presence{place}", cast("Presence", wrong)) for place, wrong in mutants(presence))
    yield from ((f"pong{place}", cast("Pong", wrong)) for place, wrong in mutants(Pong(1, 5)))


@pytest.mark.asyncio
@pytest.mark.slow
async def test_what_nobody_asked_for_changes_nothing(
    village: Village, liar: Liar, caplog: pytest.LogCaptureFixture
) -> None:
    async with street(village, liar) as here:
        await here.lied_to(Accounts, "accounts", lambda frame: (frame,))
        for name, unasked in list(_unasked(here)):
            await here.lied_to(Accepted, f"before {name}", _with(unasked, first=True))
            await here.lied_to(LogEntries, f"after {name}", _with(unasked, first=False))
        held: list[ServerFrame] = []

        def hold(frame: ServerFrame) -> Iterable[Said]:
            held.append(frame)
            return ()

        await here.lied_to(Accepted, "kept back", hold)
        await here.lied_to(LogEntries, "too late", lambda frame: (*held, frame))
        await here.lied_to(LogEntries, "twice", lambda frame: (frame, frame))
        assert "mallory" not in {person.name for person in here.alice.people()}
        await _checked(here, caplog)


def _with(unasked: ServerFrame, *, first: bool) -> Told:
    return lambda frame: (unasked, frame) if first else (frame, unasked)


@pytest.mark.asyncio
@pytest.mark.slow
async def test_a_lie_at_login_gives_a_clear_error_and_leaves_nothing_behind(
    village: Village, liar: Liar, caplog: pytest.LogCaptureFixture
) -> None:
    await village.stop()
    await village.start()
    alice = await village.person("alice", passphrase=True)
    assert alice.passphrase is not None
    password = alice.passphrase
    home = village.folder / "elsewhere"

    async def log_in() -> Me:
        return await coterie.log_in(server=village.invite, name="alice", password=password, home=home)

    await (await log_in()).close()
    shutil.rmtree(home)
    refused = 0
    for kind in (Salt, VaultOpened):
        for place, _ in mutants(liar.told[kind]):

            def lie(frame: ServerFrame, kind: type[ServerFrame] = kind, place: str = place) -> Iterable[Said]:
                return _lie_at(place)(frame) if type(frame) is kind else (frame,)

            liar.lie = lie
            try:
                me = await log_in()
            except (coterie.Refused, coterie.Unavailable, SecurityStop, RemoteError):
                refused += 1
            else:
                harmless = (".manifest last bit", ".resets zero")
                assert place in harmless, (
                    "the co-signature: the identity has signed the same; there is no reset"
                )
                assert me.account == alice.account
                await me.close()
                shutil.rmtree(home)
            assert not any(home.rglob("keys")), place
    liar.lie = None
    await (await log_in()).close()
    assert refused > 15
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
