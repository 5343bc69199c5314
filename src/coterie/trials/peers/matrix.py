"""People on a Matrix server: each has a connection to speak and one that waits for what is new (`/sync`)."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from coterie.base.codes import Code
from coterie.base.errors import RemoteError
from coterie.trials.peers import http
from coterie.trials.peers.contest import SPEAKERS, Hall, Pair, in_groups
from coterie.trials.peers.sockets import Answers, Wire, connect, nothing
from coterie.trials.peers.xmpp import body
from coterie.trials.people import PASSWORD

CLIENT = "/_matrix/client/v3"
REGISTER = "/_synapse/admin/v1/register"
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
    """One connection. live: what is answered is counted, as messages that were taken."""

    def __init__(self) -> None:
        super().__init__()
        self._responses = http.Responses()
        self._answers = Answers()
        self.live = False

    def came(self, data: bytes) -> None:
        for status, content in self._responses.feed(data):
            if not self.live:
                self._answers.put(str(status).encode() + b" " + content)
            elif status == OK:
                self.answered(1)
            else:
                self.refused = f"{status} {content[:200].decode(errors='replace')}"

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


class Ear(HttpWire):
    """Waits for what is new, and asks again."""

    def listen(self, token: str, since: str, told: Callable[[int], None]) -> None:
        """told: how many messages have come."""
        self._token, self._told = token, told
        self.live = True
        self._ask(since)

    def came(self, data: bytes) -> None:
        if not self.live:
            super().came(data)
            return
        for status, content in self._responses.feed(data):
            if status != OK:
                raise RemoteError(Code.UNEXPECTED_FRAME, f"sync: {status}")
            since, count = news(content)
            self._ask(since)
            if count:
                self._told(count)

    def _ask(self, since: str) -> None:
        self.send(http.request("GET", sync(since, WAIT_MS), self._token))


class MatrixLine:
    """One person: a mouth and an ear."""

    def __init__(self, name: str, token: str, mouth: HttpWire, ear: Ear) -> None:
        self.name = name
        self.token = token
        self.mouth = mouth
        self._ear = ear
        self.heard: Callable[[int], None] = nothing

    @property
    def answered(self) -> Callable[[int], None]:
        return self.mouth.answered

    @answered.setter
    def answered(self, call: Callable[[int], None]) -> None:
        self.mouth.answered = call

    @property
    def refused(self) -> str:
        return self.mouth.refused or self._ear.refused

    @refused.setter
    def refused(self, why: str) -> None:
        self.mouth.refused = why

    def send(self, message: bytes) -> None:
        self.mouth.send(message)

    async def go_live(self) -> None:
        """From now on only what is new counts."""
        state = await self._ear.ask("GET", sync("", 0), self.token)
        self._ear.listen(self.token, str(state["next_batch"]), self._heard)
        self.mouth.live = True

    def _heard(self, count: int) -> None:
        """Whoever wants to know by then."""
        self.heard(count)


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
        room = await _room(people[0], {"preset": "public_chat"})
        for person in people[1:]:
            await person.mouth.ask("POST", f"{CLIENT}/join/{quote(room)}", person.token, {})
        for person in people:
            await person.go_live()
        return Hall(people, [texts(room, person.token) for person in people[:SPEAKERS]])

    async def version(self) -> str:
        wire = await connect(HttpWire, self._port)
        said = await wire.ask("GET", VERSION)
        await wire.close()
        return str(said.get("server", {}).get("version", "of unknown version"))

    async def _pair(self) -> Pair:
        speaker, listener = await self._somebody(), await self._somebody()
        invited = {"preset": "trusted_private_chat", "is_direct": True, "invite": [listener.name]}
        room = await _room(speaker, invited)
        await listener.mouth.ask("POST", f"{CLIENT}/join/{quote(room)}", listener.token, {})
        for person in (speaker, listener):
            await person.go_live()
        return Pair(speaker, listener, texts(room, speaker.token))

    async def _somebody(self) -> MatrixLine:
        """A new account, made as Synapse's own tool makes it."""
        mouth, ear = await connect(HttpWire, self._port), await connect(Ear, self._port)
        nonce = str((await mouth.ask("GET", REGISTER))["nonce"])
        name = f"citizen{next(self._numbers)}"
        words = f"{nonce}\0{name}\0{PASSWORD}\0notadmin".encode()
        mac = hmac.new(self._secret.encode(), words, hashlib.sha1).hexdigest()
        account = {"nonce": nonce, "username": name, "password": PASSWORD, "admin": False, "mac": mac}
        made = await mouth.ask("POST", REGISTER, "", account)
        return MatrixLine(str(made["user_id"]), str(made["access_token"]), mouth, ear)


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


async def _room(person: MatrixLine, wanted: dict[str, object]) -> str:
    return str((await person.mouth.ask("POST", f"{CLIENT}/createRoom", person.token, wanted))["room_id"])
