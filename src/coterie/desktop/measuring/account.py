"""A server, and an account on it whose store holds many messages: what the measured window opens."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

import coterie
from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.conversations import direct_id
from coterie.base.errors import Unavailable
from coterie.base.ids import MessageId
from coterie.client.api.me import Me
from coterie.client.events import ConversationKind, MessageState
from coterie.client.store.keys import StoreWrapKind, open_database_key, read_key_file
from coterie.client.store.profiles import find_profile
from coterie.client.store.records import ConversationRow, MessageRow, ReadUpTo
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.password import Argon2Parameters, stretch

HISTORY: Final = 10_000
"""Messages of the conversation that is opened."""
FIRST: Final = 40
"""Messages to everyone that are there when the window opens."""
PASSWORD: Final = "for measuring, and known to all"
STOP_SECONDS: Final = 20
_LINES: Final = (
    "Good morning! Is the new server up?",
    "Yes, since last night. Nothing changes for you: the same invite link as before.",
    "I will tag the release once the soak test has run overnight and the memory line stays flat, please look",
    "ok",
    "See https://example.org/notes, second part",
    "@bob has read it too \N{THUMBS UP SIGN}",
)


class Ready(msgspec.Struct, frozen=True):
    """What a server prints when it accepts connections."""

    ready: bool
    listen: str
    invite: str


class Account(msgspec.Struct, frozen=True):
    """alice, whose window is measured, and bob, who writes to everyone."""

    home: Path
    invite: str
    peer: str
    bob: Me


@asynccontextmanager
async def account(folder: Path) -> AsyncIterator[Account]:
    """Everything below the folder; the server is stopped at the end."""
    async with _server(folder / "server") as ready:
        homes = folder / "alice", folder / "bob"
        for home in homes:
            me = await coterie.sign_up(server=ready.invite, name=home.name, password=PASSWORD, home=home)
            await me.recovery_key_shown()
            await me.close()
        async with coterie.open(homes[1], password=PASSWORD) as bob:
            await bob.wait_live()
            async with coterie.open(homes[0], password=PASSWORD) as alice:
                await alice.wait_live()
                for number in range(FIRST):
                    await bob.send("everyone", _LINES[number % len(_LINES)])
                while alice.history(alice.everyone, limit=FIRST)[FIRST - 1 :] == ():
                    await asyncio.sleep(0.05)
            _fill(homes[0], bob)
            yield Account(homes[0], ready.invite, bob.name, bob)


@asynccontextmanager
async def _server(data: Path) -> AsyncIterator[Ready]:
    words = ("-m", "coterie.cli", "--json", "serve", "--data", str(data), "--listen", "127.0.0.1:0")
    log = data.with_suffix(".log").open("wb")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=log
    )
    log.close()
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
        if not line:
            raise Unavailable(Code.UNREACHABLE, "the server did not start")
        yield msgspec.json.decode(line, type=Ready)
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()


def _fill(home: Path, bob: Me) -> None:
    """Put the history of a direct conversation into alice's store, which nobody has open now."""
    place = find_profile(home, None)
    file = read_key_file(place)
    parameters = Argon2Parameters(file.memory_kib, file.passes, file.lanes)
    keys = stretch(PASSWORD, file.founding, file.name, file.random, parameters)
    store = ClientStore.open(place, open_database_key(file, StoreWrapKind.PASSWORD, keys.store))
    try:
        mine = store.account_named(file.name)
        assert mine is not None
        conversation = direct_id(mine.account, bob.account)
        first = store.last_order() + 1
        now_ms = SystemClock().wall_ms()
        store.begin()
        store.apply((ConversationRow(conversation, ConversationKind.DIRECT, bob.account),))
        store.apply(
            MessageRow(
                order=first + number,
                conversation=conversation,
                message=MessageId(secrets.token_bytes(16)),
                account=bob.account if number % 3 else mine.account,
                device=bob.device if number % 3 else mine.devices[0].device,
                own=number % 3 == 0,
                state=MessageState.RECEIVED if number % 3 else MessageState.SENT,
                body=b"",
                text=f"{_LINES[number % len(_LINES)]} ({number})",
                readable=True,
                sent_ms=now_ms - (HISTORY - number) * 40_000,
                seq=number + 1,
            )
            for number in range(HISTORY)
        )
        store.apply((ReadUpTo(conversation, first + HISTORY),))
        store.commit()
    finally:
        store.close()
