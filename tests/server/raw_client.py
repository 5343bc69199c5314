"""A client of picows and the wire session alone, over real TLS."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from coterie.base.invite import Invite
from coterie.ledger.checks import check_welcome
from coterie.wire.codec import VERSIONS
from coterie.wire.frames import ClientFrame, Hello, LogEntries, Ready, ServerFrame, Sync, Welcome
from coterie.wire.frames.messages import LogEntry
from coterie.wire.session import Role, Session
from tests.server.people import Device

WAIT_SECONDS = 20.0
FrameT = TypeVar("FrameT", bound=ServerFrame)


class RawClient(WSListener):
    """Frames in, frames out; what came while waiting for others is kept."""

    def __init__(self, invite: Invite) -> None:
        self.invite = invite
        self.session: Session[ServerFrame, ClientFrame] = Session(Role.CLIENT)
        self.transport: WSTransport
        self.frames: asyncio.Queue[ServerFrame] = asyncio.Queue()
        self.kept: list[ServerFrame] = []
        self.gone = asyncio.Event()
        self.close_code: int | None = None
        self.tls_version = ""
        self.tls_key = b""
        self.challenge = b""
        self.incarnation = b""
        self.messages_received = 0

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.BINARY:
            self.messages_received += 1
            for each in self.session.receive(frame.get_payload_as_bytes()):
                self.frames.put_nowait(each)
        elif frame.msg_type is WSMsgType.CLOSE:
            self.close_code = frame.get_close_code().value
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.gone.set()

    def say(self, *frames: ClientFrame) -> None:
        self.transport.send(WSMsgType.BINARY, self.session.send(*frames))

    def throw(self, message: bytes) -> None:
        """Any bytes."""
        self.transport.send(WSMsgType.BINARY, message)

    async def next(self, kind: type[FrameT]) -> FrameT:
        for index, frame in enumerate(self.kept):
            if isinstance(frame, kind):
                del self.kept[index]
                return frame
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                frame = await self.frames.get()
                if isinstance(frame, kind):
                    return frame
                self.kept.append(frame)

    async def ask(self, frame: ClientFrame) -> ServerFrame:
        self.say(frame)
        request = getattr(frame, "request", None)
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                got = await self.frames.get()
                if getattr(got, "request", None) == request:
                    return got
                self.kept.append(got)

    async def sign_in(self, device: Device) -> Ready:
        ready = await self.ask(device.prove(self.challenge, self.tls_key))
        assert isinstance(ready, Ready), ready
        self.say(Sync(()))
        return ready

    async def entries(self, count: int) -> list[LogEntry]:
        entries: list[LogEntry] = []
        while len(entries) < count:
            entries += (await self.next(LogEntries)).entries
        return entries

    async def close(self) -> None:
        self.transport.disconnect()
        async with asyncio.timeout(WAIT_SECONDS):
            await self.gone.wait()


async def connected(invite: Invite, now_ms: int, *, path: str = "/v1") -> RawClient:
    """Connect, greet, and check that the server is the invite's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    client = RawClient(invite)
    await ws_connect(lambda: client, f"wss://{invite.place}{path}", ssl_context=context, max_redirects=0)
    tls = client.transport.underlying_transport.get_extra_info("ssl_object")
    client.tls_version = tls.version()
    key = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True)).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    client.tls_key = hashlib.sha256(spki).digest()
    client.say(Hello(VERSIONS))
    welcome = await client.next(Welcome)
    check_welcome(
        invite.fingerprint, welcome.identity, welcome.chain, welcome.statement, client.tls_key, now_ms
    )
    client.challenge, client.incarnation = welcome.challenge, welcome.incarnation
    return client
