"""Mosquitto: a broker of MQTT, with QoS 1, sessions that outlive the connection, and persistence."""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from coterie.base.codes import Code
from coterie.base.errors import RemoteError
from coterie.trials.peers import packets, programs
from coterie.trials.peers.contest import SPEAKERS, Hall, Pair, Peer, Targets, in_groups
from coterie.trials.peers.packets import Kind
from coterie.trials.peers.sockets import Answers, Wire, connect
from coterie.trials.people import PASSWORD

PEER = Peer(
    name="mosquitto",
    title="Mosquitto, QoS 1, persistence on",
    targets=Targets(direct=2.5, room=1.2),
)
BODY_BYTES = 600
USER = "citizen"
ROOM = "plaza"


class MqttLine(Wire):
    """What a peer's client says and hears; live from the first packet."""

    def __init__(self) -> None:
        super().__init__()
        self._packets = packets.Packets()
        self._answers = Answers()

    def came(self, data: bytes) -> None:
        heard = answered = 0
        answers = []
        for kind, flags, content in self._packets.feed(data):
            if kind == Kind.PUBLISH:
                number, _ = packets.published(flags, content)
                answers.append(packets.puback(number))
                heard += 1
            elif kind == Kind.PUBACK:
                answered += 1
            else:
                self._answers.put(bytes([kind]) + content)
        if answers:
            self.send(b"".join(answers))
        if answered:
            self.answered(answered)
        if heard:
            self.heard(heard)

    def lost(self) -> None:
        self._answers.end()

    async def ask(self, request: bytes, kind: Kind, answer: bytes) -> None:
        """Raises RemoteError where another answer comes."""
        self.send(request)
        if await self._answers.get() != bytes([kind]) + answer:
            raise RemoteError(Code.UNEXPECTED_FRAME, f"not the {kind.name} that was hoped for")


class Mosquitto:
    """A running broker."""

    def __init__(self, program: programs.Program, port: int) -> None:
        self._program = program
        self._port = port
        self._numbers = itertools.count()

    def cpu_seconds(self) -> float:
        return self._program.cpu_seconds()

    async def pairs(self, count: int) -> list[Pair]:
        return await in_groups(count, self._pair)

    async def hall(self, size: int) -> Hall:
        lines = await in_groups(size, lambda: self._somebody(ROOM))
        return Hall(lines, [_texts(ROOM) for _ in range(SPEAKERS)])

    async def _pair(self) -> Pair:
        topic = f"direct/{secrets.token_hex(8)}"
        return Pair(await self._somebody(""), await self._somebody(topic), _texts(topic))

    async def _somebody(self, topic: str) -> MqttLine:
        line = await connect(MqttLine, self._port)
        name = f"citizen{next(self._numbers)}"
        await line.ask(packets.connect(name, USER, PASSWORD), Kind.CONNACK, b"\0\0")
        if topic:
            await line.ask(packets.subscribe(1, topic), Kind.SUBACK, b"\0\1\1")
        return line


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Mosquitto, str]]:
    """One of its own, and its version. Raises Unavailable where there is none."""
    binary = programs.find("mosquitto")
    user = programs.who()
    with ExitStack() as stack:
        folder = stack.enter_context(programs.home(user))
        version = await _version(binary, folder)
        passwords = folder / "passwords"
        passwords.write_text("")
        tool = (programs.find("mosquitto_passwd"), "-b", passwords, USER, PASSWORD)
        await programs.said_by(tool, folder)
        passwords.chmod(0o600)
        port = programs.free_port()
        (folder / "mosquitto.conf").write_text(_configuration(folder, port, user))
        programs.hand_over(folder, user)
        command = (binary, "-c", folder / "mosquitto.conf")
        program = stack.enter_context(programs.started(command, folder, user))
        await program.await_port(port)
        yield Mosquitto(program, port), version


def _configuration(folder: Path, port: int, user: str | None) -> str:
    own = programs.certificate(folder)
    lines = [
        f"listener {port} 127.0.0.1",
        f"certfile {own}",
        f"keyfile {own}",
        "tls_version tlsv1.3",
        "allow_anonymous false",
        f"password_file {folder}/passwords",
        "persistence true",
        f"persistence_location {folder}/",
        "log_dest none",
        "set_tcp_nodelay true",
    ]
    return "\n".join([*lines, *([f"user {user}"] if user else []), ""])


async def _version(binary: Path, folder: Path) -> str:
    """Its help says so, and ends with an error."""
    tool = ("/bin/sh", "-c", '"$0" -h || true', binary)
    found = re.search(r"version ([\w.+-]{1,40})", await programs.said_by(tool, folder))
    return found[1] if found else "of unknown version"


def _texts(topic: str) -> Callable[[int], list[bytes]]:
    """Packet ids go round: one in flight never meets itself."""
    numbers = itertools.count()

    def texts(count: int) -> list[bytes]:
        return [
            packets.publish(next(numbers) % packets.PACKET_IDS + 1, topic, secrets.token_bytes(BODY_BYTES))
            for _ in range(count)
        ]

    return texts
