"""Accounts in memory behind the doors of screens/doors.py, for tests of forms: real keys, real refusals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.ids import AccountId, ConversationId, MessageId, UserName
from coterie.base.names import canonical
from coterie.client.api.passwords import Strength, check_password, strength
from coterie.client.events import (
    Conversation,
    ConversationKind,
    Delivery,
    Emoji,
    Event,
    FramesSent,
    LinkState,
    Message,
    MessageState,
    Person,
    Sent,
)
from coterie.client.store.profiles import ProfilePlace
from coterie.e2ee.approval_code import ApprovalCode, new_secret
from coterie.e2ee.recovery import RecoveryKey, new_passphrase
from tests.screens.trusting import Trusting

EVERYONE = ConversationId(bytes(16))


class Guest(Trusting):
    """An open account of the house."""

    def __init__(self, name: UserName, recovery_key: str | None, passphrase: str | None) -> None:
        super().__init__()
        self.name = name
        self.account = AccountId(name.encode().ljust(32, b"\0")[:32])
        self.everyone = EVERYONE
        self.link = LinkState.LIVE
        self.recovery_key = recovery_key
        self.passphrase = passphrase
        self.closed = False
        self.said: list[str] = []
        self.drafts: list[str] = []
        self._happened: asyncio.Queue[Event | None] = asyncio.Queue()

    def people(self) -> tuple[Person, ...]:
        return (Person(self.name, self.account, online=True, verified=False, me=True),)

    def conversations(self) -> tuple[Conversation, ...]:
        return (Conversation(EVERYONE, ConversationKind.EVERYONE, "everyone", None, None, 0, 0),)

    def history(
        self, conversation: ConversationId, *, limit: int = 200, before: int | None = None
    ) -> tuple[Message, ...]:
        return ()

    def later(self, conversation: ConversationId, *, after: int, limit: int = 200) -> tuple[Message, ...]:
        return ()

    def search(
        self,
        words: str,
        *,
        limit: int = 50,
        conversation: ConversationId | None = None,
        before: int | None = None,
    ) -> tuple[Message, ...]:
        return ()

    def delivery(self, message: Message) -> tuple[Delivery, ...]:
        return ()

    def frames_sent(self) -> tuple[FramesSent, ...]:
        return ()

    def draft(self, conversation: ConversationId) -> str:
        return ""

    async def say(self, typed: str, in_conversation: ConversationId) -> Sent:
        self.said.append(typed)
        return Sent(MessageId(bytes(16)), in_conversation, "everyone", MessageState.QUEUED)

    async def mark_read(self, conversation: ConversationId, up_to_order: int) -> None:
        return

    async def keep_draft(self, conversation: ConversationId, text: str) -> None:
        assert not self.closed
        self.drafts.append(text)

    async def happen(self, event: Event) -> None:
        """Have events() tell this."""
        await self._happened.put(event)

    async def events(self) -> AsyncIterator[Event]:
        while (event := await self._happened.get()) is not None:
            yield event

    async def close(self) -> None:
        self.closed = True
        await self._happened.put(None)

    async def wipe(self) -> None:
        await super().wipe()
        await self.close()


class Request:
    """A request to join: a device of the account answers when the test says so."""

    def __init__(self, house: House, name: UserName) -> None:
        self._house = house
        self._name = name
        self.code = ApprovalCode(new_secret(), new_secret()).text
        self.closed = False
        self.answer: asyncio.Future[tuple[Emoji, ...]] = asyncio.get_running_loop().create_future()

    def answers(self, emoji: tuple[Emoji, ...]) -> None:
        """From the window's thread: a device of the account has answered."""
        self.answer.get_loop().call_soon_threadsafe(self.answer.set_result, emoji)

    async def answered(self) -> tuple[Emoji, ...]:
        return await self.answer

    async def join(self) -> Guest:
        await self._house.door(f"join {self._name}")
        return self._house.enter(self._name, None, None)

    def close(self) -> None:
        self.closed = True
        if not self.answer.done():
            self.answer.set_exception(Refused(Code.NOT_APPROVED))


class House:
    """The doors. `fault` is raised by the next door that is used; `held` keeps a door closed for a while."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.secrets: dict[str, tuple[str, str, bool]] = {}
        """name -> password, recovery key, whether the password alone opens it elsewhere"""
        self.here: list[str] = []
        self.calls: list[str] = []
        self.guests: list[Guest] = []
        self.requests: list[Request] = []
        self.fault: BaseException | None = None
        self.held: asyncio.Event | None = None
        self.prepared = False

    def prepare(self) -> None:
        self.prepared = True

    async def sign_up(
        self,
        *,
        server: str,
        name: str,
        password: str | None,
        home: Path,
        generate_passphrase: bool = False,
        wrap_with_password: bool = False,
    ) -> Guest:
        await self.door(f"sign_up {server} {name} {generate_passphrase} {wrap_with_password}")
        wanted = canonical(name)
        if wanted in self.secrets:
            raise Refused(Code.NAME_TAKEN)
        if not generate_passphrase:
            check_password(password or "", wanted, wrapping=wrap_with_password)
        passphrase = (password or new_passphrase()) if generate_passphrase else None
        recovery_key = RecoveryKey.generate().words()
        alone = generate_passphrase or wrap_with_password
        self.secrets[wanted] = (passphrase or password or "", recovery_key, alone)
        return self.enter(wanted, recovery_key, passphrase)

    def new_passphrase(self) -> str:
        return new_passphrase()

    async def log_in(
        self, *, server: str, name: str, password: str, home: Path, recovery_key: str | None = None
    ) -> Guest:
        await self.door(f"log_in {server} {name}")
        wanted = canonical(name)
        right, words, alone = self.secrets.get(wanted, ("", "", False))
        if not right or password != right or (recovery_key is not None and recovery_key != words):
            raise Refused(Code.WRONG_CREDENTIALS)
        if not alone and recovery_key is None:
            raise Refused(Code.NEEDS_RECOVERY_KEY)
        return self.enter(wanted, None, None)

    async def ask_approval(self, *, server: str, name: str, password: str, home: Path) -> Request:
        await self.door(f"ask_approval {server} {name}")
        wanted = canonical(name)
        check_password(password, wanted, wrapping=False)
        self.requests.append(Request(self, wanted))
        return self.requests[-1]

    async def open(self, home: Path, *, profile: str | None = None, password: str) -> Guest:
        await self.door(f"open {profile}")
        name = UserName((profile or "").partition("@")[0])
        if self.secrets[name][0] != password:
            raise Refused(Code.WRONG_CREDENTIALS)
        return self.enter(name, None, None)

    def profiles(self, home: Path) -> Sequence[ProfilePlace]:
        return [ProfilePlace(home / "profiles" / f"{name}@00112233", name) for name in self.here]

    def strength(self, password: str, name: str) -> Strength:
        return strength(password, name)

    async def door(self, call: str) -> None:
        self.calls.append(call)
        if self.held is not None:
            await self.held.wait()
        fault, self.fault = self.fault, None
        if fault is not None:
            raise fault

    def enter(self, name: UserName, recovery_key: str | None, passphrase: str | None) -> Guest:
        guest = Guest(name, recovery_key, passphrase)
        self.guests.append(guest)
        return guest
