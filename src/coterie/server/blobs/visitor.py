"""One connection of the second channel: one request after the other, each in its own time.

Messages have nothing to do with it: a visitor runs in a task of its own, and where a disk or a network is
slow it waits there alone. What it has not taken yet is bounded by reading no more from its socket.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Protocol, assert_never

from coterie.base import limits
from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.domains import Domain
from coterie.base.errors import LocalError, Refused, RemoteError, Unavailable
from coterie.base.ids import AccountId, BlobId, DeviceId
from coterie.server.blobs.counts import FileCounts
from coterie.server.blobs.keeper import BUSY_SECONDS, Keeper
from coterie.server.caller import Caller
from coterie.server.commands import hello
from coterie.server.connection import CloseReason, Pipe
from coterie.server.device_proofs import is_signed, shut_out
from coterie.server.realm import Realm
from coterie.server.store.protocol import DeviceRow, Store
from coterie.wire.blob_session import BlobSession, ChannelState
from coterie.wire.frames.blobs import (
    BlobChunk,
    BlobClientFrame,
    BlobRead,
    BlobServerFrame,
    BlobWanted,
    DropBlob,
    GetBlob,
    ProveBlobs,
    PutBlob,
)
from coterie.wire.frames.connection import Hello, Welcome
from coterie.wire.frames.shared import Accepted, Refusal
from coterie.wire.session import Role

log = logging.getLogger("coterie.server.blobs")

INBOX_FRAMES = 8
"""As many chunks, 512 KiB, wait for the disk; then nothing more is read from the socket."""


class BlobPipe(Pipe, Protocol):
    """Carries messages to one client, and can stop listening to it."""

    def hold(self, *, held: bool) -> None:
        """Read nothing more, or read again."""
        ...


class Gone(Exception):
    """The client is not there any more."""


class Visitor:
    """received(), paused() and closed() are told what happens; run() does the rest."""

    def __init__(
        self,
        pipe: BlobPipe,
        caller: Caller,
        realm: Realm,
        store: Store,
        keeper: Keeper,
        clock: Clock,
        counts: FileCounts,
        has_room: Callable[[DeviceId], bool],
    ) -> None:
        """has_room: whether one more connection of a device may be open."""
        self._pipe = pipe
        self._caller = caller
        self._realm = realm
        self._store = store
        self._keeper = keeper
        self._clock = clock
        self._counts = counts
        self._has_room = has_room
        self._session: BlobSession[BlobClientFrame, BlobServerFrame] = BlobSession(Role.SERVER)
        self._inbox: deque[BlobClientFrame] = deque()
        self._came = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._ending: CloseReason | Code | None = None
        self._given_up = 0
        """Request of the upload that came to nothing: the rest of it is still under way."""
        self.proof: ProveBlobs | None = None
        """Once the device has proven itself."""

    @property
    def address(self) -> str:
        """What rates count it by."""
        return self._caller.address

    @property
    def device(self) -> DeviceId | None:
        """Once it has proven itself."""
        return DeviceId(self.proof.device) if self.proof is not None else None

    def received(self, message: bytes) -> None:
        """A message has come. What is wrong with it ends this connection, once what came before is done."""
        if self._ending is not None:
            return
        try:
            self._inbox.extend(self._session.receive(message))
        except RemoteError as error:
            self.end(error.code)
            return
        if len(self._inbox) >= INBOX_FRAMES:
            self._pipe.hold(held=True)
        self._came.set()

    def paused(self, *, paused: bool) -> None:
        """The network takes no more, or takes more again."""
        if paused:
            self._writable.clear()
        else:
            self._writable.set()

    def end(self, why: CloseReason | Code) -> None:
        """Nothing more is listened to; a code is told first."""
        if self._ending is None:
            self._ending = why
        self._came.set()
        self._writable.set()

    async def run(self) -> None:
        """Until either side ends it."""
        try:
            async with asyncio.timeout(limits.HANDSHAKE_SECONDS):
                while self._session.state is not ChannelState.OPEN:
                    await self._handle(await self._next())
            while True:
                await self._handle(await self._next())
        except (Gone, TimeoutError):
            self.end(CloseReason.GOING_AWAY)
        except RemoteError as error:
            self.end(error.code)
        except Unavailable as error:
            log.critical("the database is not there: %s", error.note)
            self.end(CloseReason.TRY_AGAIN_LATER)
        except Exception:
            log.exception("a file could not be handled")
            self.end(CloseReason.INTERNAL_ERROR)
        finally:
            self._say_goodbye()

    def _say_goodbye(self) -> None:
        why = self._ending
        if isinstance(why, Code):
            with suppress(LocalError):
                self._pipe.send(self._session.send(Refusal(0, why.value)))
        self._pipe.close(CloseReason.REFUSED if isinstance(why, Code) else why or CloseReason.GOING_AWAY)

    async def _next(self) -> BlobClientFrame:
        """The next frame. Raises Gone, also where none comes for long."""
        while not self._inbox:
            if self._ending is not None:
                raise Gone
            self._came.clear()
            try:
                async with asyncio.timeout(limits.BLOB_SILENT_SECONDS):
                    await self._came.wait()
            except TimeoutError:
                raise Gone from None
        frame = self._inbox.popleft()
        if len(self._inbox) == INBOX_FRAMES // 2:
            self._pipe.hold(held=False)
        return frame

    async def _say(self, frame: BlobServerFrame) -> None:
        """Once the network has taken what came before. Raises Gone, also where it takes nothing for long."""
        while not self._writable.is_set():
            unsent_bytes = self._pipe.unsent_bytes
            with suppress(TimeoutError):
                async with asyncio.timeout(limits.BLOB_SILENT_SECONDS):
                    await self._writable.wait()
                    break
            if self._pipe.unsent_bytes >= unsent_bytes:
                raise Gone
        if self._ending is not None and not isinstance(self._ending, Code):
            raise Gone
        self._pipe.send(self._session.send(frame))

    async def _handle(self, frame: BlobClientFrame) -> None:
        match frame:
            case BlobChunk(request=request):
                if request != self._given_up:
                    raise RemoteError(Code.UNEXPECTED_FRAME, "a chunk of no upload")
            case Hello():
                (welcome,) = hello.handle(frame, self._caller, self._realm).reply
                assert isinstance(welcome, Welcome)
                await self._say(welcome)
            case ProveBlobs() | PutBlob() | GetBlob() | DropBlob():
                try:
                    await self._answer(frame)
                except Refused as error:
                    self._counts.refused(error.code)
                    wait_ms = round(error.retry_after_seconds * 1000)
                    await self._say(Refusal(frame.request, error.code.value, wait_ms))
                    self._require_open()
            case _:
                assert_never(frame)

    def _require_open(self) -> None:
        """Who was refused at the door tries on another connection."""
        if self._session.state is not ChannelState.OPEN:
            raise Gone

    async def _answer(self, frame: ProveBlobs | PutBlob | GetBlob | DropBlob) -> None:
        if isinstance(frame, ProveBlobs):
            await self._require_proof(frame)
            self.proof = frame
            await self._say(Accepted(frame.request, 0))
            return
        row = await self._require_signed_in()
        match frame:
            case PutBlob():
                await self._put(frame, row)
            case GetBlob():
                await self._get(frame, row)
            case DropBlob(request, blob):
                await self._keeper.drop(BlobId(blob), row.account)
                await self._say(Accepted(request, 0))
            case _:
                assert_never(frame)

    async def _require_proof(self, frame: ProveBlobs) -> None:
        """Raises Refused: this is not, or not any more, a device that is signed in."""
        row = await self._store.device(DeviceId(frame.device))
        if row is None or row.account != frame.account:
            raise Refused(Code.UNKNOWN_DEVICE)
        if not is_signed(frame, Domain.PROVE_BLOBS, self._caller, self._realm, row):
            raise Refused(Code.WRONG_CREDENTIALS)
        _require_live(row, frame, self._clock.wall_ms())
        if not self._has_room(row.device):
            raise Refused(Code.BUSY, retry_after_seconds=BUSY_SECONDS)

    async def _require_signed_in(self) -> DeviceRow:
        """The device as it is now. Raises RemoteError with the reason why this connection has to end."""
        proof = self.proof
        assert proof is not None, "the session is open"
        row = await self._store.device(DeviceId(proof.device))
        try:
            if row is None:
                raise Refused(Code.UNKNOWN_DEVICE)
            _require_live(row, proof, self._clock.wall_ms())
        except Refused as error:
            raise RemoteError(error.code) from None
        return row

    def _require_rate(self, account: AccountId, size_bytes: int) -> None:
        now = self._clock.monotonic_seconds()
        wait_seconds = self._realm.rates.blob_bytes.take(account, now, float(size_bytes))
        if wait_seconds:
            raise Refused(Code.BUSY, retry_after_seconds=wait_seconds)

    async def _put(self, frame: PutBlob, row: DeviceRow) -> None:
        if row.succeeded:
            raise Refused(Code.SUCCEEDED)
        device, blob = row.device, BlobId(frame.blob)
        self._require_rate(row.account, frame.size_bytes)
        if not await self._keeper.begin(device, blob, frame.size_bytes, frame.sha256):
            await self._say(BlobWanted(frame.request, 0))
            try:
                chunks = self._chunks(frame)
                await self._keeper.put(device, blob, frame.size_bytes, frame.sha256, chunks)
                self._counts.uploads += 1
            except Unavailable as error:
                self._given_up = frame.request
                log.critical("a file could not be kept: %s", error.note)
                raise Refused(Code.DISK, retry_after_seconds=BUSY_SECONDS) from error
            except Refused:
                self._given_up = frame.request
                raise
        await self._say(Accepted(frame.request, 0))

    async def _chunks(self, frame: PutBlob) -> AsyncIterator[bytes]:
        """The file as it comes. Raises Gone, RemoteError(unexpected-frame)."""
        until = self._clock.monotonic_seconds() + limits.UPLOAD_SECONDS
        offset = 0
        while offset < frame.size_bytes:
            chunk = await self._next()
            if not isinstance(chunk, BlobChunk) or (chunk.request, chunk.offset) != (frame.request, offset):
                raise RemoteError(Code.UNEXPECTED_FRAME, "not the next chunk of the upload")
            if self._clock.monotonic_seconds() > until:
                raise Gone
            offset += len(chunk.content)
            self._counts.received_bytes += len(chunk.content)
            yield chunk.content

    async def _get(self, frame: GetBlob, row: DeviceRow) -> None:
        self._require_rate(row.account, frame.size_bytes)
        blob = BlobId(frame.blob)
        whole_bytes = await self._keeper.size_bytes(blob)
        content = await self._keeper.read(blob, frame.start, frame.size_bytes)
        for at in range(0, len(content), limits.BLOB_CHUNK_BYTES):
            part = content[at : at + limits.BLOB_CHUNK_BYTES]
            await self._say(BlobChunk(frame.request, frame.start + at, part))
        await self._say(BlobRead(frame.request, whole_bytes))
        self._counts.reads += 1
        self._counts.sent_bytes += len(content)


def _require_live(row: DeviceRow, proof: ProveBlobs, now_ms: int) -> None:
    """Raises Refused: the device was revoked, or the start that was proven is not its newest."""
    shut = shut_out(row, now_ms)
    if shut is not None:
        code, wait_seconds = shut
        raise Refused(code, retry_after_seconds=wait_seconds)
    if (row.run, row.run_nonce) != (proof.run, proof.run_nonce):
        raise Refused(Code.NOT_SIGNED_IN)
