"""The connection: TLS, WebSocket, the server's proof of itself, and frames in both directions.

Nothing but the upgrade request and Hello leaves before the server's statement has been found to match the
certificate's key (encryption rule 7). The only module of the client that knows picows and ssl.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import logging
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from picows import WSCloseCode, WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from coterie.base import limits
from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.errors import CoterieError, Refused, RemoteError, SecurityStop, Unavailable
from coterie.base.ids import AccountId
from coterie.client.journal import Journal
from coterie.ledger.checks import check_welcome
from coterie.ledger.statements import ServerStatement
from coterie.wire.codec import VERSIONS
from coterie.wire.frames import ClientFrame, Hello, Pong, Refusal, ServerFrame, Welcome
from coterie.wire.refusals import refused
from coterie.wire.session import Role, Session, State

log = logging.getLogger("coterie.client.link")
logging.getLogger("picows.client").setLevel(logging.CRITICAL)


def _is_news(record: logging.LogRecord) -> bool:
    """A failed TLS handshake is told twice: to whoever connects, and to the log as if it were a bug."""
    return not record.getMessage().startswith("SSL handshake failed")


logging.getLogger("asyncio").addFilter(_is_news)

PATH = "/v1"


class Address(msgspec.Struct, frozen=True):
    """Where a server is, and what is known of it. server: its founding identity, None before first use.
    known_identity: the identity of its newest accepted statement, packed; b"" for none."""

    host: str
    port: int
    server: AccountId | None
    known_identity: bytes = b""


class _Listener(WSListener):
    """Hands picows' callbacks to the connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._end: asyncio.Task[None] | None = None

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            self._connection.broken(RemoteError(Code.BAD_FRAME, "an extension that nobody asked for"))
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.disconnect()
        elif frame.msg_type is WSMsgType.BINARY and frame.fin:
            self._connection.received(frame.get_payload_as_bytes())
        elif frame.msg_type not in (WSMsgType.PING, WSMsgType.PONG):
            self._connection.broken(RemoteError(Code.BAD_FRAME, "not a binary message"))

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._end = asyncio.create_task(_ended(transport))  # noqa: TID251 - over with the next turn of the loop
        self._connection.gone()


async def _ended(transport: WSTransport) -> None:
    """Take what picows found wrong with the server's frames: unasked for, it would end up in the log."""
    with suppress(Exception):
        await transport.wait_disconnected()


class Connection:
    """One connection that has proven to be the pinned server's."""

    def __init__(self, journal: Journal | None = None) -> None:
        self._journal = journal
        self._session: Session[ServerFrame, ClientFrame] = Session(Role.CLIENT)
        self._transport: WSTransport | None = None
        self._early: asyncio.Queue[ServerFrame | None] = asyncio.Queue()
        self._sink: Callable[[tuple[ServerFrame, ...]], None] | None = None
        self._gone = asyncio.Event()
        self.error: CoterieError | None = None
        self.tls_key = b""
        self.welcome: Welcome
        self.statement: ServerStatement

    def received(self, data: bytes) -> None:
        """One WebSocket message has come."""
        try:
            frames = self._session.receive(data)
        except RemoteError as error:
            self.broken(error)
            return
        for frame in frames if self._sink is None else ():
            self._early.put_nowait(frame)
        if self._sink is not None:
            self._sink(frames)
        if self._session.state is State.CLOSED:
            self.close()

    def broken(self, error: CoterieError) -> None:
        """The peer broke the protocol, or lies: remember why and hang up."""
        self.error = self.error or error
        self.close()

    def gone(self) -> None:
        self._gone.set()
        self._early.put_nowait(None)

    def send(self, frames: Sequence[ClientFrame]) -> None:
        """Send frames, in as many messages as it takes. Nothing happens on a connection that is gone or about
        to be: its server has said its last word, or broke the protocol."""
        if not frames or self._transport is None or self._gone.is_set() or self.error is not None:
            return
        if self._session.state in (State.CLOSED, State.BROKEN):
            return
        size_bytes = 0
        for message in self._session.send_all(frames):
            self._transport.send(WSMsgType.BINARY, message)
            size_bytes += len(message)
        if self._journal is not None:
            self._journal.sent(frames, size_bytes)

    async def ask(self, frame: ClientFrame) -> ServerFrame:
        """Send a request of the handshake, wait for its answer. Raises Refused, RemoteError, Unavailable."""
        self.send((frame,))
        answer = await self._next(limits.HANDSHAKE_SECONDS)
        asked, answered = getattr(frame, "request", 0), getattr(answer, "request", 0)
        if isinstance(answer, Refusal) and answered in (0, asked):
            raise refused(answer)
        if answered != asked:
            raise RemoteError(Code.UNEXPECTED_FRAME, "an answer to something else")
        return answer

    async def hear(self) -> ServerFrame:
        """The next frame, whenever it comes: while a person is waited for. Raises Unavailable, RemoteError
        where the connection is gone."""
        return await self._next(None)

    def handover(self, sink: Callable[[tuple[ServerFrame, ...]], None]) -> None:
        """From now on frames go to sink; what came since the last answer goes there first."""
        while not self._early.empty():
            frame = self._early.get_nowait()
            if frame is not None:
                sink((frame,))
        self._sink = sink

    def hold(self, *, held: bool) -> None:
        """Read nothing more for now, or go on reading: what a server sends meanwhile is in its own memory."""
        if self._transport is None or self._gone.is_set():
            return
        if held:
            self._transport.underlying_transport.pause_reading()
        else:
            self._transport.underlying_transport.resume_reading()

    async def lost(self) -> None:
        """Return when the connection is gone."""
        await self._gone.wait()

    def close(self) -> None:
        if self._transport is not None:
            if not self._gone.is_set():
                self._transport.send_close(WSCloseCode.OK)
            self._transport.disconnect()

    async def _next(self, timeout_seconds: float | None) -> ServerFrame:
        try:
            async with asyncio.timeout(timeout_seconds):
                frame = await self._early.get()
                while isinstance(frame, Pong):
                    frame = await self._early.get()
        except TimeoutError:
            self.close()
            raise Unavailable(Code.UNREACHABLE, "no answer in time") from None
        if frame is None:
            raise self.error or Unavailable(Code.UNREACHABLE, "the connection was lost")
        return frame

    async def _greet(self, address: Address, clock: Clock) -> None:
        self.send((Hello(VERSIONS),))
        welcome = await self._next(limits.HANDSHAKE_SECONDS)
        if isinstance(welcome, Refusal):
            raise refused(welcome)
        if not isinstance(welcome, Welcome):
            raise RemoteError(Code.UNEXPECTED_FRAME, "no welcome")
        self.statement = check_welcome(
            address.server,
            welcome.identity,
            welcome.chain,
            welcome.statement,
            self.tls_key,
            clock.wall_ms(),
            known_identity=address.known_identity,
            restores=welcome.restores,
        )
        if welcome.incarnation != self.statement.incarnation:
            raise SecurityStop(Code.IDENTITY_CHANGED, "an incarnation that the statement does not name")
        self.welcome = welcome

    @classmethod
    async def open(cls, address: Address, clock: Clock, journal: Journal | None = None) -> Connection:
        """Connect and check who answers. journal: where everything said is noted down.

        Raises Unavailable (not reachable, statement expired), SecurityStop(identity-changed) where another
        server answers, Refused(needs-invite) where nothing would prove the server on first use.
        """
        connection = cls(journal)
        try:
            await connection._connect(address)
            await connection._greet(address, clock)
        except BaseException:
            connection.close()
            raise
        return connection

    async def _connect(self, address: Address) -> None:
        host = f"[{address.host}]" if ":" in address.host else address.host
        try:
            async with asyncio.timeout(limits.CONNECT_SECONDS):
                transport, _ = await ws_connect(
                    lambda: _Listener(self),
                    f"wss://{host}:{address.port}{PATH}",
                    ssl_context=_context(address),
                    max_frame_size=2 * limits.FRAME_BYTES,
                    max_redirects=0,
                    enable_auto_ping=True,
                    auto_ping_idle_timeout=limits.PING_SECONDS,
                    auto_ping_reply_timeout=limits.ANSWER_SECONDS,
                )
        except ssl.SSLCertVerificationError:
            raise Refused(Code.NEEDS_INVITE, "no valid certificate and no fingerprint") from None
        except (OSError, WSError, TimeoutError, ssl.SSLError):
            raise Unavailable(Code.UNREACHABLE, "no connection to the server") from None
        self._transport = transport
        self.tls_key = _tls_key(transport)


def _context(address: Address) -> ssl.SSLContext:
    """Where the server is pinned, or on loopback, its statement proves the certificate; else a chain must."""
    if address.server is None and not is_loopback(address.host):
        context = ssl.create_default_context()
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def _tls_key(transport: WSTransport) -> bytes:
    """SHA-256 of the certificate's public key as this connection sees it, 32 bytes."""
    tls = transport.underlying_transport.get_extra_info("ssl_object")
    der = tls.getpeercert(binary_form=True) if tls is not None else None
    if not der:
        raise SecurityStop(Code.IDENTITY_CHANGED, "the server showed no certificate")
    try:
        key = x509.load_der_x509_certificate(der).public_key()
        packed = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except ValueError:
        raise SecurityStop(Code.IDENTITY_CHANGED, "the server showed no readable certificate") from None
    return hashlib.sha256(packed).digest()


def is_loopback(host: str) -> bool:
    """Whether a host stands for this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
