"""A profile that is open: what a person, a bot or a screen does with it (docs: README.md, For programs)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from coterie.base import limits
from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.errors import SecurityStop, Unavailable
from coterie.base.ids import ConversationId, MessageId
from coterie.client.api.admitting import Admitting
from coterie.client.api.readers import Readers
from coterie.client.closing import close_store
from coterie.client.commands import KeepDraft, MarkRead, RecoveryKeyShown, Say, TellServer, parse
from coterie.client.core.alarms import SplitProof
from coterie.client.core.profile import Profile
from coterie.client.core.standing import check_may_write
from coterie.client.events import (
    AccountChangeAnswered,
    ApprovalHeard,
    ApprovalsRefused,
    ConversationChanged,
    DrainedBacklog,
    Event,
    IdentityReplaced,
    LinkChanged,
    LinkState,
    Message,
    MessageArrived,
    MessageSent,
    MessageState,
    Reply,
    SendingStuck,
    Sent,
    VaultRenewed,
)
from coterie.client.message_ids import MessageIds
from coterie.client.runtime import Runtime
from coterie.client.signing_in import Renewal
from coterie.client.store.backup_file import write_backup
from coterie.client.store.keys import read_key_file
from coterie.client.store.lock import ProfileLock
from coterie.client.store.profiles import remove_profile
from coterie.client.store.records import PutSetting, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.content.body import Text, pack
from coterie.ledger.audit import Audit, LedgerFile, audit, ledger_of, together


class Me(Admitting):
    """An account on this device. Use it with `async with`, or call close() at the end."""

    def __init__(
        self,
        store: ClientStore,
        lock: ProfileLock,
        profile: Profile,
        clock: Clock,
        renewal: Renewal | None = None,
    ) -> None:
        super().__init__(store, Runtime(store, profile, clock, self._show, renewal), lock.place)
        self._lock = lock
        self._clock = clock
        self._readers = Readers(self._with_reply)
        self._ids = MessageIds()
        self._waiting: dict[MessageId, asyncio.Future[Sent]] = {}
        self._task = asyncio.create_task(self._live())  # noqa: TID251 - the root: a TaskGroup runs inside
        self.recovery_key: str | None = None
        """The 24 words, until recovery_key_shown(): show them once, the server never had them."""
        self.passphrase: str | None = None
        """The generated passphrase, only right after a sign-up that asked for one."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def send(self, target: str, text: str, *, timeout_seconds: float = 10.0) -> Sent:
        """Say something and wait until the server has it on disk.

        target: "@name" or "everyone". Returns with state QUEUED where that takes longer than the timeout: the
        message stays in the outbox and goes with the next connection. Raises Refused(unknown-person, empty,
        too-large).
        """
        if self.link is not LinkState.LIVE:
            try:
                await self.wait_live(timeout_seconds)
            except Unavailable:
                if self._link.state is LinkState.STOPPED:
                    raise
        sent = await self.post(target, text)
        return await self.acknowledged(sent, timeout_seconds)

    async def acknowledged(self, sent: Sent, timeout_seconds: float) -> Sent:
        """Wait for a posted message to be acknowledged; returned unchanged where that takes longer."""
        waiter = self._waiting.get(sent.id)
        if waiter is None:
            order = self._store.message_order(sent.conversation, self.device, sent.id)
            row = self._store.message(order) if order else None
            return msgspec.structs.replace(sent, state=row.state) if row else sent
        try:
            async with asyncio.timeout(timeout_seconds):
                return await asyncio.shield(waiter)
        except TimeoutError:
            return sent

    async def post(self, target: str, text: str) -> Sent:
        """Put a message into the outbox; returns once it is stored here (state QUEUED)."""
        return await self._say(self.resolve(target), text)

    async def say(self, typed: str, in_conversation: ConversationId) -> Sent:
        """What a composer does: "@bob hi" is for bob, anything else for the conversation given."""
        addressed = parse(typed, self._known_name)
        if addressed.to_everyone:
            return await self._say(self.everyone, addressed.text)
        if addressed.name is not None:
            return await self._say(self.resolve("@" + addressed.name), addressed.text)
        return await self._say(in_conversation, addressed.text)

    def events(self) -> AsyncIterator[Event]:
        """Everything that happens from now on. Each call is a reader of its own."""
        return self._readers.follow()

    async def mark_read(self, conversation: ConversationId, up_to_order: int) -> None:
        await self._runtime.tell(MarkRead(conversation, up_to_order))

    async def keep_draft(self, conversation: ConversationId, text: str) -> None:
        await self._runtime.tell(KeepDraft(conversation, text))

    async def recovery_key_shown(self) -> None:
        """The person has the recovery key: this machine forgets it."""
        await self._runtime.tell(RecoveryKeyShown())
        self.recovery_key = None

    async def tell_server(self, *, wanted: bool) -> None:
        """Whether the server is to be told how many messages cannot be read here: it counts them in its
        figures, for whoever runs it. Not unless this was called."""
        await self._runtime.tell(TellServer(wanted))

    def hold_against(self, shown: LedgerFile) -> Audit:
        """Check what a server shows to others (fetch_ledger) together with what this device holds of it.
        Where that proves a fraud, the proof is kept, and this profile stops for good.

        Raises SecurityStop(ledger-split) where it is another ledger than this profile knows, RemoteError and
        SealBroken as audit() does.
        """
        own = LedgerFile.unpack(self.ledger_file())
        if ledger_of(own) != ledger_of(shown):
            raise SecurityStop(Code.LEDGER_SPLIT, "another ledger than this profile knows")
        both = together(own, shown)
        found = audit(both)
        if found.fraud is not None:
            ours = own.heads[0] if own.heads else b""
            theirs = (*shown.light_heads, *shown.heads)[-1]
            proof = PutSetting(Setting.SPLIT_PROOF, SplitProof(ours, theirs, both.leaves).pack())
            self._runtime.stop_over(SecurityStop(Code.LEDGER_SPLIT, found.fraud.why), (proof,))
        return found

    async def back_up(self, file: Path) -> int:
        """Write this profile into a new file; its size in bytes. Sealed as the store is, and without the keys
        of this device: what is restored from it becomes another one. Nothing else happens meanwhile: a second
        for 100 MB. Raises Unavailable(disk), also where there is such a file."""
        return write_backup(file, read_key_file(self._place), self._clock.wall_ms(), self._store.copy_to)

    async def close(self) -> None:
        """Hang up, and leave the store in order."""
        self._runtime.stop()
        await asyncio.gather(self._task, return_exceptions=True)
        if not self._ended:
            self._end()
        error = None if self._task.cancelled() else self._task.exception()
        if error is not None:
            raise error

    async def wipe(self) -> None:
        """Close this profile and remove it from this machine, its keys first: what is left then is
        unreadable. Raises Unavailable(disk)."""
        await self.close()
        remove_profile(self._place)

    async def _live(self) -> None:
        try:
            await self._runtime.run()
        finally:
            self._end()

    def _end(self) -> None:
        self._ended = True
        close_store(self._store)
        self._lock.release()
        for waiter in self._waiting.values():
            waiter.cancel()
        self._readers.end()
        self._changed.set()

    async def _say(self, conversation: ConversationId, text: str) -> Sent:
        body = Text(text)
        pack(body)
        conversation, peer = self._where(conversation)
        message = self._ids.new(conversation)
        check_may_write(self._core.people, peer)
        waiter: asyncio.Future[Sent] = asyncio.get_running_loop().create_future()
        self._waiting[message] = waiter
        try:
            await self._runtime.tell(Say(conversation, peer, message, body))
        except BaseException:
            self._waiting.pop(message, None)
            raise
        return Sent(message, conversation, self._target_of(conversation), MessageState.QUEUED)

    def _show(self, event: Event) -> None:
        """Called by the runtime after each commit, in order."""
        match event:
            case LinkChanged():
                self._link = event
                if event.state is LinkState.LIVE:
                    self._doors_settled()
                else:
                    self._drained.clear()
                    self._unwatched()
                self._changed.set()
            case DrainedBacklog():
                self._drained.set()
                self._changed.set()
            case MessageSent(message):
                waiter = self._waiting.pop(message.id, None)
                if waiter is not None and not waiter.done():
                    waiter.set_result(
                        Sent(message.id, message.conversation, message.target, MessageState.SENT)
                    )
            case SendingStuck() | ConversationChanged():
                self._changed.set()
            case AccountChangeAnswered():
                self._answered(event)
                self._doors_settled()
                self._changed.set()
            case VaultRenewed() | IdentityReplaced():
                self._doors_settled()
                self._changed.set()
            case ApprovalHeard() | ApprovalsRefused():
                self._approval_heard(event)
                return
            case _:
                pass
        self._readers.put(event)

    def _with_reply(self, event: Event) -> Event:
        if not isinstance(event, MessageArrived):
            return event
        return msgspec.structs.replace(event, replier=self._reply_to(event.message))

    def _reply_to(self, message: Message) -> Reply:
        async def reply(text: str) -> Sent:
            sent = await self._say(message.conversation, text)
            return await self.acknowledged(sent, limits.ANSWER_SECONDS)

        return reply
