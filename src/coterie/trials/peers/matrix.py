"""People on a Matrix server: each has a connection to speak and one that waits for what is new (`/sync`)."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import RemoteError
from coterie.trials.peers import http
from coterie.trials.peers.contest import SPEAKERS, Hall, Pair, in_groups
from coterie.trials.peers.sockets import Answers, Wire, connect, nothing
from coterie.trials.peers.xmpp import body
from coterie.trials.people import PASSWORD
from coterie.trials.voice import not_denied

CLIENT = "/_matrix/client/v3"
REGISTER = "/_synapse/admin/v1/register"
VERSIONS = "/_matrix/client/versions"
VERSION = "/_matrix/federation/v1/version"
MESSAGE = "m.room.message"
WAIT_MS = 30000
OK = 200
FILTER = {
    "presence": {"not_types": ["*"]},
    "account_data": {"not_types": ["*"]},
    "room": {
        "account_data": {"not_types": ["*"]},
        "ephemeral": {"not_types": ["*"]},
        "state": {"not_types": ["*"]},
        "timeline": {"types": [MESSAGE], "limit": 100},
    },
}
"""Messages alone: what other clients ask for costs the server more."""


class HttpWire(Wire):
    """One connection that asks, and waits for the answer."""

    def __init__(self) -> None:
        super().__init__()
        self._responses = http.Responses()
        self._answers = Answers()

    def came(self, data: bytes) -> None:
        for status, content in self._responses.feed(data):
            self._answers.put(str(status).encode() + b" " + content)

    def lost(self) -> None:
        self._answers.end()

    async def ask(self, method: str, path: str, token: str = "", content: object = None) -> dict[str, Any]:
        """What the server says. Raises RemoteError where it says no."""
        self.send(http.request(method, path, token, b"" if content is None else json.dumps(content).encode()))
        status, _, answer = (await self._answers.get()).partition(b" ")
        if int(status) != OK:
            raise RemoteError(
                Code.UNEXPECTED_FRAME, f"{method}: {status.decode()} {answer[:200].decode(errors='replace')}"
            )
        said = json.loads(answer)
        if not isinstance(said, dict):
            raise RemoteError(Code.BAD_FRAME, "Matrix answers with objects")
        return said


class Mouth(Wire):
    """Sends messages, and counts the answers. What is asked so that the connection stays does not count."""

    def __init__(self) -> None:
        super().__init__()
        self._responses = http.Responses()
        self._under_way: deque[bool] = deque()
        """In the order of the requests: whether it is a message."""

    def say(self, message: bytes) -> None:
        self._under_way.append(True)
        self.send(message)

    def stay(self) -> None:
        """The server ends a connection on which nothing was asked for a minute."""
        if not self._under_way:
            self._under_way.append(False)
            self.send(http.request("GET", VERSIONS, ""))

    def came(self, data: bytes) -> None:
        for status, content in self._responses.feed(data):
            if not self._under_way:
                raise RemoteError(Code.UNEXPECTED_FRAME, "an answer that nobody asked for")
            is_message = self._under_way.popleft()
            if status != OK:
                self.refused = f"{status} {content[:200].decode(errors='replace')}"
            elif is_message:
                self.answered(1)


class Ear(HttpWire):
    """Waits for what is new, and asks again."""

    def __init__(self) -> None:
        super().__init__()
        self._token = ""
        self._told: Callable[[int], None] | None = None

    async def listen(self, token: str, told: Callable[[int], None]) -> None:
        """told: how many messages have come since now; 0 where nothing has for a while."""
        state = await self.ask("GET", sync("", 0), token)
        self._token, self._told = token, told
        self._ask(str(state["next_batch"]))

    def came(self, data: bytes) -> None:
        if self._told is None:
            super().came(data)
            return
        for status, content in self._responses.feed(data):
            if status != OK:
                raise RemoteError(Code.UNEXPECTED_FRAME, f"sync: {status}")
            since, count = news(content)
            self._ask(since)
            self._told(count)

    def _ask(self, since: str) -> None:
        self.send(http.request("GET", sync(since, WAIT_MS), self._token))


class MatrixLine:
    """One person: a mouth and an ear."""

    def __init__(self, mouth: Mouth, ear: Ear) -> None:
        self._mouth = mouth
        self._ear = ear
        self.heard: Callable[[int], None] = nothing
        self.denied: Callable[[str, int], None] = not_denied

    @property
    def answered(self) -> Callable[[int], None]:
        return self._mouth.answered

    @answered.setter
    def answered(self, call: Callable[[int], None]) -> None:
        self._mouth.answered = call

    @property
    def refused(self) -> str:
        return self._mouth.refused or self._ear.refused

    @refused.setter
    def refused(self, why: str) -> None:
        self._mouth.refused = why

    def send(self, message: bytes) -> None:
        self._mouth.say(message)

    async def listen(self, token: str) -> None:
        """From now on what is new counts."""
        await self._ear.listen(token, self._told)

    def _told(self, count: int) -> None:
        if count:
            self.heard(count)
        else:
            self._mouth.stay()


class Account(msgspec.Struct, frozen=True):
    """Somebody who is not there yet."""

    name: str
    token: str


class People:
    """All on one server; names are counted. secret: whoever has it may make accounts."""

    def __init__(self, port: int, secret: str) -> None:
        self._port = port
        self._secret = secret
        self._numbers = itertools.count()

    async def pairs(self, count: int) -> list[Pair]:
        return await in_groups(count, self._pair)

    async def hall(self, size: int) -> Hall:
        people = await in_groups(size, self._somebody)
        room = await self._room(people[0], {"preset": "public_chat"})
        for person in people[1:]:
            await self._join(person, room)
        waiting = iter(people)
        lines = await in_groups(size, lambda: self._line(next(waiting)))
        return Hall(lines, [texts(room, person.token) for person in people[:SPEAKERS]])

    async def version(self) -> str:
        said = await self._ask("GET", VERSION)
        return str(said.get("server", {}).get("version", "of unknown version"))

    async def _pair(self) -> Pair:
        speaker, listener = await self._somebody(), await self._somebody()
        invited = {"preset": "trusted_private_chat", "is_direct": True, "invite": [listener.name]}
        room = await self._room(speaker, invited)
        await self._join(listener, room)
        return Pair(await self._line(speaker), await self._line(listener), texts(room, speaker.token))

    async def _line(self, person: Account) -> MatrixLine:
        """Connect, and be there."""
        line = MatrixLine(await connect(Mouth, self._port), await connect(Ear, self._port))
        await line.listen(person.token)
        return line

    async def _somebody(self) -> Account:
        """A new account, made as Synapse's own tool makes it."""
        nonce = str((await self._ask("GET", REGISTER))["nonce"])
        name = f"citizen{next(self._numbers)}"
        words = f"{nonce}\0{name}\0{PASSWORD}\0notadmin".encode()
        mac = hmac.new(self._secret.encode(), words, hashlib.sha1).hexdigest()
        account = {"nonce": nonce, "username": name, "password": PASSWORD, "admin": False, "mac": mac}
        made = await self._ask("POST", REGISTER, "", account)
        return Account(str(made["user_id"]), str(made["access_token"]))

    async def _room(self, person: Account, wanted: dict[str, object]) -> str:
        return str((await self._ask("POST", f"{CLIENT}/createRoom", person.token, wanted))["room_id"])

    async def _join(self, person: Account, room: str) -> None:
        await self._ask("POST", f"{CLIENT}/join/{quote(room)}", person.token, {})

    async def _ask(self, method: str, path: str, token: str = "", content: object = None) -> dict[str, Any]:
        """On a connection of its own: it may be long until the same person asks again."""
        wire = await connect(HttpWire, self._port)
        try:
            return await wire.ask(method, path, token, content)
        finally:
            await wire.close()


def sync(since: str, wait_ms: int) -> str:
    chosen = quote(json.dumps(FILTER, separators=(",", ":")))
    return f"{CLIENT}/sync?filter={chosen}&timeout={wait_ms}" + (f"&since={quote(since)}" if since else "")


def news(content: bytes) -> tuple[str, int]:
    """Where to go on, and how many messages an answer to /sync has. Raises RemoteError for another thing."""
    try:
        said = json.loads(content)
        rooms = said.get("rooms", {}).get("join", {})
        events = [event for room in rooms.values() for event in room.get("timeline", {}).get("events", ())]
        return str(said["next_batch"]), sum(event.get("type") == MESSAGE for event in events)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise RemoteError(Code.BAD_FRAME, "not an answer to /sync") from None


def texts(room: str, token: str) -> Callable[[int], list[bytes]]:
    """Each with a transaction id of its own, as Matrix wants it."""

    def made(count: int) -> list[bytes]:
        return [
            http.request(
                "PUT",
                f"{CLIENT}/rooms/{quote(room)}/send/{MESSAGE}/{secrets.token_hex(8)}",
                token,
                json.dumps({"msgtype": "m.text", "body": body()}).encode(),
            )
            for _ in range(count)
        ]

    return made
