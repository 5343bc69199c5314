"""A client's end of a connection without a client: bytes out, counts in.

The handshake goes through wire.session as anybody's; once live, messages go out as they were encoded
beforehand, and of what comes only the kinds of frames and the numbers of entries are looked at. The same end
talks to the floor, whose messages are cut in the same way.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeVar

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from coterie.base import limits
from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.errors import RemoteError, Unavailable
from coterie.base.invite import Invite
from coterie.ledger.checks import check_welcome
from coterie.ledger.statements import ServerStatement
from coterie.trials.subject import nothing
from coterie.trials.voice import not_denied
from coterie.wire import codec
from coterie.wire.frames import Ack, ClientFrame, Hello, Ready, ServerFrame, Sync, Welcome
from coterie.wire.frames.shared import Position
from coterie.wire.session import Role, Session

WAIT_SECONDS = 60.0
PATH = "/v1"
ACCEPTED, REFUSAL, MAILBOX, LOG, FLOOR = 32, 33, 43, 44, 15
"""Numbers of frames (docs/protocol.md 3.3); the floor gives back what it got, which is a Send."""
MESSAGE_OF_ENTRY = 4
_any = msgspec.msgpack.Decoder(list[Any])


def decoded(message: bytes) -> Iterator[list[Any]]:
    """The frames of a message of the server as lists, the number of the kind first."""
    at = 0
    while at < len(message):
        start = at + codec.LENGTH_BYTES
        at = start + int.from_bytes(message[at:start], "big")
        yield _any.decode(message[start:at])


class Line(WSListener):
    """answered(n), heard(n): called with how many answers to Sends and how many log entries have come;
    denied(code, wait_ms): with each refusal."""

    def __init__(self) -> None:
        self._session: Session[ServerFrame, ClientFrame] = Session(Role.CLIENT)
        self._transport: WSTransport
        self._frames: asyncio.Queue[ServerFrame | None] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._live = False
        self._unacknowledged = 0
        self.challenge = b""
        self.tls_key = b""
        self.incarnation = bytes(16)
        self.statement: ServerStatement
        self.refused = ""
        self.log = bytes(17)
        """The one that this line speaks to: an answer with a MAC stands for an entry of it."""
        self.answered: Callable[[int], None] = nothing
        self.heard: Callable[[int], None] = nothing
        self.messages: list[bytes] | None = None
        """Where it is a list: the ids of all entries; empty for the own ones for which an answer stands."""
        self.denied: Callable[[str, int], None] = not_denied

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            transport.disconnect()
        elif frame.msg_type is WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type is WSMsgType.BINARY:
            message = frame.get_payload_as_bytes()
            if self._live:
                self.count(message)
            else:
                for each in self._session.receive(message):
                    self._frames.put_nowait(each)

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 - picows' signature
        self._gone.set()
        self._frames.put_nowait(None)
        self.gone()

    @property
    def is_gone(self) -> bool:
        return self._gone.is_set()

    def gone(self) -> None:
        """The connection has ended, whoever ended it."""

    async def ask(self, frame: ClientFrame) -> ServerFrame:
        """A request of the handshake, and its answer. Raises Unavailable where the connection ends."""
        self._transport.send(WSMsgType.BINARY, self._session.send(frame))
        request = getattr(frame, "request", None)
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                answer = await self._frames.get()
                if answer is None:
                    raise Unavailable(Code.UNREACHABLE, "a server under trial ended the connection")
                if request is None or getattr(answer, "request", None) == request:
                    return answer

    async def go_live(self, proof: ClientFrame) -> None:
        """Sign in and let delivery begin; from now on only counts."""
        ready = await self.ask(proof)
        if not isinstance(ready, Ready):
            raise RemoteError(Code.UNEXPECTED_FRAME, f"{type(ready).__name__} in place of Ready")
        self._transport.send(WSMsgType.BINARY, self._session.send(Sync(())))
        self._live = True

    def count_only(self) -> None:
        """There is no handshake: this is the floor."""
        self._live = True

    def send(self, message: bytes) -> None:
        self._transport.send(WSMsgType.BINARY, message)

    def ping(self) -> None:
        self._transport.send_ping()

    async def close(self) -> None:
        self._transport.disconnect()
        async with asyncio.timeout(WAIT_SECONDS):
            await self._gone.wait()

    def count(self, message: bytes) -> None:
        """What came once the line is live."""
        answers = entries = 0
        for frame in decoded(message):
            kind = frame[0]
            if kind == ACCEPTED:
                answers += 1
                if frame[4]:
                    entries += 1
                    if self.messages is not None:
                        self.messages.append(b"")
                    self.acknowledge(self.log, frame[2], 1)
            elif kind == LOG and frame[3]:
                entries += len(frame[3])
                if self.messages is not None:
                    self.messages += [entry[MESSAGE_OF_ENTRY] for entry in frame[3]]
                self.acknowledge(frame[1], frame[3][-1][0], len(frame[3]))
            elif kind == FLOOR:
                entries += 1
                self.acknowledge(bytes(17), 1, 1)
            elif kind == MAILBOX and frame[3]:
                self.acknowledge(frame[1], frame[3][-1][0], limits.ACK_ENTRIES)
            elif kind == REFUSAL:
                self.refused = str(frame[2])
                self.denied(self.refused, frame[3])
        if answers:
            self.answered(answers)
        if entries:
            self.heard(entries)

    def acknowledge(self, stream: bytes, seq: int, entries: int) -> None:
        """As a client does: after ten entries of logs, and mailboxes at once."""
        self._unacknowledged += entries
        if self._unacknowledged >= limits.ACK_ENTRIES:
            self._unacknowledged = 0
            self.send(codec.encode(Ack((Position(stream, self.incarnation, seq),))))


AnyLine = TypeVar("AnyLine", bound="Line")


async def open_line(invite: Invite) -> Line:
    """Connect to a server and hear who it is."""
    return await open_as(invite, Line())


async def open_as(invite: Invite, line: AnyLine) -> AnyLine:
    """The same with a line of one's own kind."""
    await _connect(line, invite, PATH)
    welcome = await line.ask(Hello(codec.VERSIONS))
    if not isinstance(welcome, Welcome):
        raise RemoteError(Code.UNEXPECTED_FRAME, "no welcome")
    line.challenge, line.incarnation = welcome.challenge, welcome.incarnation
    line.statement = check_welcome(
        invite.fingerprint,
        welcome.identity,
        welcome.chain,
        welcome.statement,
        line.tls_key,
        SystemClock().wall_ms(),
    )
    return line


async def open_floor_line(invite: Invite, room: str, role: str) -> Line:
    """The same to the floor."""
    line = Line()
    await _connect(line, invite, f"/{room}/{role}")
    line.count_only()
    return line


@cache
def _tls() -> ssl.SSLContext:
    """One for all: it resumes nothing by itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _connect(line: Line, invite: Invite, path: str) -> None:
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            transport, _ = await ws_connect(
                lambda: line, f"wss://{invite.place}{path}", ssl_context=_tls(), max_redirects=0
            )
    except (OSError, TimeoutError) as error:
        raise Unavailable(Code.UNREACHABLE, "a server under trial does not answer") from error
    tls = transport.underlying_transport.get_extra_info("ssl_object")
    key = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True)).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    line.tls_key = hashlib.sha256(spki).digest()
