"""A client of the second channel: picows and its wire session alone, over real TLS."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import ssl

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.invite import Invite
from coterie.wire.blob_session import BlobSession
from coterie.wire.codec import VERSIONS
from coterie.wire.frames.blobs import (
    BlobChunk,
    BlobClientFrame,
    BlobRead,
    BlobServerFrame,
    BlobWanted,
    GetBlob,
    PutBlob,
)
from coterie.wire.frames.connection import Hello, Welcome
from coterie.wire.frames.shared import Accepted, Refusal
from coterie.wire.session import Role
from tests.server.people import Device

WAIT_SECONDS = 20.0


class RawBlobClient(WSListener):
    """Frames in, frames out."""

    def __init__(self) -> None:
        self.session: BlobSession[BlobServerFrame, BlobClientFrame] = BlobSession(Role.CLIENT)
        self.transport: WSTransport
        self.frames: asyncio.Queue[BlobServerFrame] = asyncio.Queue()
        self.gone = asyncio.Event()
        self.challenge = self.tls_key = b""
        self.requests = 1

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.BINARY:
            for each in self.session.receive(frame.get_payload_as_bytes()):
                self.frames.put_nowait(each)
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.gone.set()

    def say(self, frame: BlobClientFrame) -> None:
        self.throw(self.session.send(frame))

    def throw(self, message: bytes) -> None:
        """Any bytes."""
        self.transport.send(WSMsgType.BINARY, message)

    async def next(self) -> BlobServerFrame:
        async with asyncio.timeout(WAIT_SECONDS):
            return await self.frames.get()

    async def ask(self, frame: BlobClientFrame) -> BlobServerFrame:
        self.say(frame)
        return await self.next()

    async def ended(self) -> Code | None:
        """Until the server has ended this connection; why, where it says so."""
        async with asyncio.timeout(WAIT_SECONDS):
            await self.gone.wait()
        last = None
        while not self.frames.empty():
            last = self.frames.get_nowait()
        return Code(last.code) if isinstance(last, Refusal) else None

    async def sign_in(self, device: Device) -> None:
        answer = await self.ask(device.prove_blobs(self.challenge, self.tls_key))
        assert answer == Accepted(1, 0)

    async def begin(
        self, content: bytes, blob: bytes = b"", size: int = 0
    ) -> tuple[PutBlob, BlobServerFrame]:
        self.requests += 1
        sha256 = hashlib.sha256(content).digest()
        put = PutBlob(self.requests, blob or secrets.token_bytes(16), size or len(content), sha256)
        return put, await self.ask(put)

    def give(self, put: PutBlob, content: bytes, start: int = 0) -> None:
        for at in range(start, len(content), limits.BLOB_CHUNK_BYTES):
            self.say(BlobChunk(put.request, at, content[at : at + limits.BLOB_CHUNK_BYTES]))

    async def upload(self, content: bytes, blob: bytes = b"") -> bytes:
        put, wanted = await self.begin(content, blob)
        assert wanted == BlobWanted(put.request, 0)
        self.give(put, content)
        assert await self.next() == Accepted(put.request, 0)
        return put.blob

    async def get(self, blob: bytes, start: int, size: int) -> bytes | Code:
        self.requests += 1
        got, answer = b"", await self.ask(GetBlob(self.requests, blob, start, size))
        while isinstance(answer, BlobChunk):
            assert answer.offset == start + len(got)
            got += answer.content
            answer = await self.next()
        if isinstance(answer, Refusal):
            return Code(answer.code)
        assert isinstance(answer, BlobRead)
        assert answer.request == self.requests
        return got

    async def close(self) -> None:
        self.transport.disconnect()
        async with asyncio.timeout(WAIT_SECONDS):
            await self.gone.wait()


async def blob_client(invite: Invite) -> RawBlobClient:
    """Connected and greeted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    client = RawBlobClient()
    await ws_connect(lambda: client, f"wss://{invite.place}/v1/blobs", ssl_context=context, max_redirects=0)
    tls = client.transport.underlying_transport.get_extra_info("ssl_object")
    key = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True)).public_key()
    client.tls_key = hashlib.sha256(
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).digest()
    welcome = await client.ask(Hello(VERSIONS))
    assert isinstance(welcome, Welcome)
    client.challenge = welcome.challenge
    return client
