"""A profile that is open: what a person, a bot or a screen does with it (docs: README.md, For programs)."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

import msgspec

from coterie.base import limits
from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.conversations import direct_id
from coterie.base.errors import CoterieError, Refused, SecurityStop, Unavailable
from coterie.base.ids import AccountId, ConversationId, DeviceId, MessageId, UserName
from coterie.base.names import canonical
from coterie.client.commands import EVERYONE, KeepDraft, MarkRead, RecoveryKeyShown, Say, parse
from coterie.client.core.profile import Profile
from coterie.client.core.switchboard import Switchboard
from coterie.client.events import (
    Conversation,
    ConversationKind,
    Device,
    DrainedBacklog,
    Event,
    LinkChanged,
    LinkState,
    Message,
    MessageArrived,
    MessageSent,
    MessageState,
    Person,
    Reply,
    SendingStuck,
    Sent,
)
from coterie.client.runtime import Runtime
from coterie.client.store.lock import ProfileLock
from coterie.client.store.records import ConversationRow
from coterie.client.store.sqlite import ClientStore
from coterie.content.body import Text, pack

EVENTS_WAITING = 100_000
"""A reader of events that falls further behind than this is told so."""


class _Reader:
    """One reader's queue of events."""

    def __init__(self) -> None:
        self.events: deque[Event] = deque()
        self.wake = asyncio.Event()
        self.overflown = False

    def put(self, event: Event) -> None:
        if len(self.events) >= EVENTS_WAITING:
            self.overflown = True
            return
        self.events.append(event)
        self.wake.set()


class Me:
    """An account on this device. Use it with `async with`, or call close() at the end."""

    def __init__(self, store: ClientStore, lock: ProfileLock, profile: Profile, clock: Clock) -> None:
        self._store = store
        self._lock = lock
        self._profile = profile
        self._clock = clock
        self._readers: list[_Reader] = []
        self._waiting: dict[MessageId, asyncio.Future[Sent]] = {}
        self._link = LinkChanged(LinkState.OFFLINE)
        self._drained = asyncio.Event()
        self._changed = asyncio.Event()
        self._core = Switchboard(store, profile)
        self._runtime = Runtime(store, self._core, clock, self._show)
        self._ended = False
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

    @property
    def name(self) -> UserName:
        return self._profile.name

    @property
    def account(self) -> AccountId:
        return self._profile.account

    @property
    def device(self) -> DeviceId:
        return self._profile.device

    @property
    def server(self) -> str:
        """HOST:PORT of the server this profile belongs to."""
        return f"{self._profile.host}:{self._profile.port}"

    @property
    def link(self) -> LinkState:
        return self._link.state

    @property
    def everyone(self) -> ConversationId:
        return self._core.everyone

    @property
    def notes(self) -> ConversationId:
        """The conversation with oneself."""
        return direct_id(self.account, self.account)

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

    async def events(self) -> AsyncIterator[Event]:
        """Everything that happens from now on. Each call is a reader of its own."""
        reader = _Reader()
        self._readers.append(reader)
        try:
            while not (self._ended and not reader.events):
                await reader.wake.wait()
                reader.wake.clear()
                while reader.events:
                    yield self._with_reply(reader.events.popleft())
                if reader.overflown:
                    raise Unavailable(Code.BUSY, "events were not read in time and were dropped")
        finally:
            self._readers.remove(reader)

    async def wait_live(self, timeout_seconds: float = 10.0) -> None:
        """Return when the connection is live. Raises Unavailable after the timeout, or why it stopped."""
        await self._wait(lambda: self.link is LinkState.LIVE, timeout_seconds)

    async def wait_drained(self, timeout_seconds: float = 30.0) -> None:
        """Return when everything that had waited on the server is stored here."""
        await self._wait(self._drained.is_set, timeout_seconds)

    def people(self) -> tuple[Person, ...]:
        """Everybody on this server, by name."""
        return self._core.people.everybody()

    def person(self, name: str) -> Person | None:
        known = self._known_name(name)
        account = self._core.people.named(known) if known else None
        return self._core.people.person(account) if account else None

    def conversations(self) -> tuple[Conversation, ...]:
        """Every conversation with a message or a draft, and everyone; newest first."""
        views = [self._core.views.conversation(row) for row in self._store.conversations()]
        if all(view.id != self.everyone for view in views):
            views.append(self._core.views.conversation(self._everyone_row()))
        views.sort(key=lambda view: -(view.last.order if view.last else 0))
        return tuple(views)

    def conversation(self, conversation: ConversationId) -> Conversation | None:
        if conversation == self.everyone and self._store.conversation(conversation) is None:
            return self._core.views.conversation(self._everyone_row())
        return self._core.views.conversation_by_id(conversation)

    def conversation_with(self, account: AccountId) -> Conversation:
        """The direct conversation with somebody, also before its first message."""
        conversation = direct_id(self.account, account)
        row = self._store.conversation(conversation)
        return self._core.views.conversation(
            row or ConversationRow(conversation, ConversationKind.DIRECT, account)
        )

    def resolve(self, target: str) -> ConversationId:
        """The conversation that a person means by "@bob" or "everyone".

        Raises Refused(unknown-person); Unavailable where nobody of that name is known and there is no
        connection to ask.
        """
        return self._resolve(target)[0]

    def history(
        self, conversation: ConversationId, *, limit: int = 200, before: int | None = None
    ) -> tuple[Message, ...]:
        """The newest messages below the order `before`, newest last."""
        row = self._store.conversation(conversation)
        return tuple(
            self._core.views.message(each, row) for each in self._store.history(conversation, limit, before)
        )

    def search(self, words: str, *, limit: int = 50) -> tuple[Message, ...]:
        """Messages that contain all the words, newest first."""
        return tuple(self._core.views.message(row) for row in self._store.search(words, limit))

    async def mark_read(self, conversation: ConversationId, up_to_order: int) -> None:
        await self._runtime.tell(MarkRead(conversation, up_to_order))

    def draft(self, conversation: ConversationId) -> str:
        row = self._store.conversation(conversation)
        return row.draft if row else ""

    async def keep_draft(self, conversation: ConversationId, text: str) -> None:
        await self._runtime.tell(KeepDraft(conversation, text))

    async def recovery_key_shown(self) -> None:
        """The person has the recovery key: this machine forgets it."""
        await self._runtime.tell(RecoveryKeyShown())
        self.recovery_key = None

    def devices(self) -> tuple[Device, ...]:
        """The devices of this account, as its newest proven manifest lists them."""
        return self._core.people.own_devices()

    async def close(self) -> None:
        """Hang up, and leave the store in order."""
        self._runtime.stop()
        await asyncio.gather(self._task, return_exceptions=True)
        if not self._ended:
            self._end()
        error = None if self._task.cancelled() else self._task.exception()
        if error is not None:
            raise error

    async def _live(self) -> None:
        try:
            await self._runtime.run()
        finally:
            self._end()

    def _end(self) -> None:
        self._ended = True
        self._store.close()
        self._lock.release()
        for waiter in self._waiting.values():
            waiter.cancel()
        for reader in self._readers:
            reader.wake.set()
        self._changed.set()

    async def _say(self, conversation: ConversationId, text: str) -> Sent:
        body = Text(text)
        pack(body)
        message = MessageId(secrets.token_bytes(16))
        peer = self._peer_of(conversation)
        waiter: asyncio.Future[Sent] = asyncio.get_running_loop().create_future()
        self._waiting[message] = waiter
        try:
            await self._runtime.tell(Say(conversation, peer, message, body))
        except BaseException:
            self._waiting.pop(message, None)
            raise
        return Sent(message, conversation, self._target_of(conversation), MessageState.QUEUED)

    def _resolve(self, target: str) -> tuple[ConversationId, bytes]:
        if target.casefold().lstrip("@") == EVERYONE:
            return self.everyone, b""
        name = self._known_name(target.removeprefix("@"))
        account = self._core.people.named(name) if name else None
        if account is not None:
            return direct_id(self.account, account), account
        if self.link is LinkState.STOPPED:
            raise self._stopped()
        if self.link is not LinkState.LIVE:
            raise Unavailable(Code.UNREACHABLE, "nobody of that name is known here yet")
        raise Refused(Code.UNKNOWN_PERSON)

    def _known_name(self, word: str) -> UserName | None:
        """The canonical name of somebody who exists, None for nobody."""
        try:
            name = canonical(word)
        except Refused:
            return None
        return name if self._core.people.named(name) else None

    def _peer_of(self, conversation: ConversationId) -> bytes:
        if conversation == self.everyone:
            return b""
        row = self._store.conversation(conversation)
        if row is not None:
            return row.peer
        for person in self.people():
            if direct_id(self.account, person.account) == conversation:
                return person.account
        raise Refused(Code.UNKNOWN_PERSON)

    def _target_of(self, conversation: ConversationId) -> str:
        view = self.conversation(conversation)
        return view.target if view else EVERYONE

    def _everyone_row(self) -> ConversationRow:
        return ConversationRow(self.everyone, ConversationKind.EVERYONE, b"")

    def _stopped(self) -> CoterieError:
        code = self._link.code or Code.UNREACHABLE
        if code in (Code.IDENTITY_CHANGED, Code.LEDGER_SPLIT):
            return SecurityStop(code)
        return Refused(code)

    async def _wait(self, done: Callable[[], bool], timeout_seconds: float) -> None:
        try:
            async with asyncio.timeout(timeout_seconds):
                while not done():
                    if self._link.state is LinkState.STOPPED:
                        raise self._stopped()
                    if self._ended:
                        raise Unavailable(Code.NO_PROFILE, "the profile is closed")
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise Unavailable(self._link.code or Code.UNREACHABLE, "not connected in time") from None

    def _show(self, event: Event) -> None:
        """Called by the runtime after each commit, in order."""
        match event:
            case LinkChanged():
                self._link = event
                if event.state is not LinkState.LIVE:
                    self._drained.clear()
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
            case SendingStuck():
                self._changed.set()
            case _:
                pass
        for reader in self._readers:
            reader.put(event)

    def _with_reply(self, event: Event) -> Event:
        if not isinstance(event, MessageArrived):
            return event
        return msgspec.structs.replace(event, replier=self._reply_to(event.message))

    def _reply_to(self, message: Message) -> Reply:
        async def reply(text: str) -> Sent:
            sent = await self._say(message.conversation, text)
            return await self.acknowledged(sent, limits.ANSWER_SECONDS)

        return reply
