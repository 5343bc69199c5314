"""People on an XMPP server: accounts, conversations of two, and a room."""

from __future__ import annotations

import base64
import itertools
import re
import secrets
from collections.abc import Callable, Sequence

from coterie.base.codes import Code
from coterie.base.errors import RemoteError
from coterie.trials.peers import stanzas
from coterie.trials.peers.contest import SPEAKERS, Hall, Pair, in_groups
from coterie.trials.peers.sockets import Answers, Wire, connect
from coterie.trials.people import PASSWORD

ROOM = "plaza"
_MINE = b"code='110'", b'code="110"'
_VERSION = re.compile(rb"<version>([\w.+-]{1,40})</version>")


class XmppLine(Wire):
    """A stream; once live only messages are counted.

    speaker: whose message has been taken when this one has heard it, for XMPP has no answer to a message.
    own: how the messages that this one said into a room come back: that is the answer to them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._stanzas = stanzas.Stanzas()
        self._answers = Answers()
        self._live = False
        self.speaker: Wire | None = None
        self.own: re.Pattern[bytes] | None = None

    def came(self, data: bytes) -> None:
        whole = self._stanzas.feed(data)
        if self._live:
            self._count(whole)
        else:
            for stanza in whole:
                self._answers.put(stanza)

    def lost(self) -> None:
        self._answers.end()

    async def open_stream(self) -> None:
        """Anew: after the connection, and after signing in."""
        self._stanzas = stanzas.Stanzas()
        self.send(stanzas.stream())
        await self.until(lambda stanza: stanza.startswith(b"<stream:features"))

    async def ask(self, request: bytes) -> bytes:
        """What is answered. Raises RemoteError where it is an error."""
        self.send(request)
        return await self.until(lambda stanza: stanza.startswith((b"<iq", b"<success", b"<failure")))

    async def until(self, wanted: Callable[[bytes], bool]) -> bytes:
        """The next stanza of that kind; others pass. Raises RemoteError for an error."""
        while True:
            stanza = await self._answers.get()
            if stanzas.is_error(stanza):
                raise RemoteError(Code.UNEXPECTED_FRAME, stanza[:200].decode(errors="replace"))
            if wanted(stanza):
                return stanza

    async def join(self, room: str, nick: str) -> None:
        """Return when the room has taken us in."""
        self.send(stanzas.join(room, nick))
        await self.until(lambda stanza: stanza.startswith(b"<presence") and any(m in stanza for m in _MINE))
        self.own = stanzas.said_by(f"{room}@{stanzas.ROOMS}/{nick}")

    def go_live(self) -> None:
        self._live = True

    def _count(self, whole: Sequence[bytes]) -> None:
        heard = own = 0
        for stanza in whole:
            if not stanza.startswith(b"<message"):
                continue
            if stanzas.is_error(stanza):
                self.refused = stanza[-200:].decode(errors="replace")
            elif b"<body" in stanza:
                heard += 1
                own += self.own is not None and self.own.match(stanza) is not None
        if own:
            self.answered(own)
        if heard:
            self.heard(heard)
            if self.speaker is not None:
                self.speaker.answered(heard)


class People:
    """All on one server; names are counted."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._numbers = itertools.count()

    async def pairs(self, count: int) -> list[Pair]:
        people = await in_groups(2 * count, self._somebody)
        made = []
        for (speaker, _), (listener, name) in zip(people[::2], people[1::2], strict=True):
            listener.speaker = speaker
            made.append(Pair(speaker, listener, _texts("chat", f"{name}@{stanzas.DOMAIN}")))
        for line, _ in people:
            line.go_live()
        return made

    async def hall(self, size: int) -> Hall:
        people = await in_groups(size, self._somebody)
        for line, name in people:
            await line.join(ROOM, name)
        for line, _ in people:
            line.go_live()
        said = _texts("groupchat", f"{ROOM}@{stanzas.ROOMS}")
        return Hall([line for line, _ in people], [said] * SPEAKERS)

    async def version(self) -> str:
        """Which program, as it says itself (XEP-0092)."""
        line, _ = await self._somebody()
        found = _VERSION.search(await line.ask(stanzas.VERSION))
        await line.close()
        return found[1].decode() if found else "of unknown version"

    async def _somebody(self) -> tuple[XmppLine, str]:
        """A new account, signed in and there."""
        name = f"citizen{next(self._numbers)}"
        line = await connect(XmppLine, self._port)
        await line.open_stream()
        await line.ask(stanzas.register(name, PASSWORD))
        await line.ask(stanzas.plain(name, PASSWORD))
        await line.open_stream()
        await line.ask(stanzas.BIND)
        line.send(stanzas.PRESENCE)
        await line.until(lambda stanza: stanza.startswith(b"<presence"))
        return line, name


def _texts(kind: str, to: str) -> Callable[[int], list[bytes]]:
    numbers = itertools.count()

    def texts(count: int) -> list[bytes]:
        return [stanzas.message(kind, to, next(numbers), body()) for _ in range(count)]

    return texts


def body() -> str:
    """600 letters, as long as the sealed messages that coterie carries."""
    return base64.b64encode(secrets.token_bytes(450)).decode()
