"""What people in a hamlet said to whom, and whether all of it is where it belongs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import apsw

import coterie
from coterie.base import limits
from coterie.client.api.me import Me
from coterie.client.store.records import Setting, WaitingReason
from coterie.client.store.tables import MESSAGE
from coterie.ledger.manifest import PrekeyKind, SignedPrekey
from tests.village.hamlet import Hamlet, Person

EVERYONE = "everyone"
UNFINISHED = (
    Setting.PENDING_SIGN_UP,
    Setting.PENDING_PREKEYS,
    Setting.PENDING_MANIFEST,
    Setting.PENDING_DOORS,
    Setting.DEVICE_UNCONFIRMED,
)
"""What a client keeps only until the server has answered."""


@dataclass(frozen=True)
class Typed:
    by: Person
    target: str
    text: str
    hearers: tuple[Person, ...]
    """Machines on which it has to stand, the writer's included."""


class Talk:
    """Everything that was typed, in order."""

    def __init__(self, hamlet: Hamlet, before: Sequence[tuple[str, str, str]] = ()) -> None:
        """before: who said what to whom before this; nobody has read it."""
        self.hamlet = hamlet
        self.typed: list[Typed] = []
        self.read: set[tuple[str, str]] = set()
        """(account, text)"""
        self.forgotten: list[Person] = []
        self.lies: list[str] = []
        """What somebody was told, and was not so."""
        hamlet.looks = self._look
        for by, target, text in before:
            self._note(hamlet.people[by], target, text)

    async def says(self, by: Person, target: str, text: str) -> None:
        """Typed once: what stands in the conversation after a death is not typed again."""
        self._note(by, target, text)
        await by.does(lambda me: me.post(target, text), lambda me: text in texts(me, target, me.name))

    def _note(self, by: Person, target: str, text: str) -> None:
        people = [each for each in self.hamlet.people.values() if each not in self.forgotten]
        both = {by.account, target.removeprefix("@")}
        hearers = tuple(each for each in people if target == EVERYONE or each.account in both)
        self.typed.append(Typed(by, target, text, hearers))

    async def all_speak(self) -> None:
        """From each machine to everyone, and to each other person alone."""
        people = self.hamlet.there
        for by in people:
            await self.says(by, EVERYONE, f"{by.name} is still there")
            for account in {each.account for each in people} - {by.account}:
                await self.says(by, f"@{account}", f"{by.name} is there for {account}")

    def forget(self, person: Person) -> None:
        """A machine that is to hear nothing more from now on; what it has is its own affair."""
        self.forgotten.append(person)
        self.came_later(person)

    def leave_behind(self) -> None:
        """What was said so far stands in conversations that nobody speaks in any more."""
        self.typed = [replace(each, hearers=()) for each in self.typed]

    def came_later(self, person: Person) -> None:
        """Somebody for whom nothing is that was said so far."""
        self.typed = [
            replace(each, hearers=tuple(other for other in each.hearers if other is not person))
            for each in self.typed
        ]

    async def heard(self) -> None:
        """Everything that was said so far has arrived, and nothing is under way any more."""
        await self.hamlet.until(self.lacking)

    async def reads(self, who: Person, target: str) -> None:
        """Somebody looks at all that stands in a conversation."""
        for each in who.me.history(who.me.resolve(target), limit=1000):
            self.read.add((who.account, each.text))
        await who.does(lambda me: _read_all(me, target), lambda me: _unread(me, target) == 0)

    def lacking(self) -> list[str]:
        """What is not yet as it must become once everybody was there for a while."""
        found = []
        for person in self.hamlet.there:
            found += [f"{person.name}: {lack}" for lack in _restless(person.me)]
        for person in [] if found else self.hamlet.there:
            lacks = (*self._unheard(person), *self._miscounted(person), *_unsupplied(self.hamlet, person.me))
            found += [f"{person.name}: {lack}" for lack in lacks]
        return found

    def _unheard(self, person: Person) -> list[str]:
        found = []
        for target, writer, wanted in self._wanted(person):
            has = [text for text in texts(person.me, target, writer) if text in wanted]
            if has != wanted:
                found.append(f"has {has} with {target}, of {wanted}")
        for typed in self.typed:
            if (
                typed.by is person
                and typed.hearers
                and typed.target.removeprefix("@") in self._spoke_to(person)
            ):
                state = _state(person.me, typed)
                if state is not coterie.MessageState.DELIVERED:
                    found.append(f"{typed.text!r} is {state}")
        return found

    def _miscounted(self, person: Person) -> list[str]:
        """Conversations of which a wrong number is unread. Read on one own device is read on all."""
        found = []
        for conversation in person.me.conversations():
            rows = person.me.history(conversation.id, limit=1000)
            unread = [row.text for row in rows if not row.own and (person.account, row.text) not in self.read]
            if conversation.unread != len(unread):
                found.append(f"{conversation.unread} unread with {conversation.target}, of {unread}")
        return found

    def _spoke_to(self, person: Person) -> set[str]:
        """Accounts that have written to this person alone: these tell what they have."""
        return {each.by.account for each in self.typed if each.target == f"@{person.account}"}

    def _wanted(self, person: Person) -> list[tuple[str, str, list[str]]]:
        """(conversation as this person names it, whose, texts in order), for each machine that wrote: two of
        one account keep no order between them."""
        wanted: dict[tuple[str, Person], list[str]] = {}
        for typed in self.typed:
            if person in typed.hearers:
                there = typed.target
                if there.startswith("@") and typed.by.account != person.account:
                    there = f"@{typed.by.account}"
                wanted.setdefault((there, typed.by), []).append(typed.text)
        return [(target, by.account, told) for (target, by), told in wanted.items()]

    def _look(self, person: Person) -> None:
        """Whoever has a receipt of a device was told the truth: it is on that device's disk."""
        for typed in self.typed:
            if not typed.by.is_there or typed.by is person:
                continue
            for message in typed.by.me.history(typed.by.me.resolve(typed.target), limit=1000):
                received = {
                    each.device
                    for each in typed.by.me.delivery(message)
                    if each.state is coterie.DeliveryState.RECEIVED
                }
                if person.me.device in received and not _stored(person.me, message):
                    self.lies.append(f"{person.name}: said it had {message.text!r}, and had it not")

    def wrong(self) -> list[str]:
        """What must never be, whatever happened."""
        found = list(self.lies)
        for person in self.hamlet.there:
            me = person.me
            store = me._store
            if store.setting(Setting.BROKEN_COUNT):
                found.append(f"{person.name}: something could not be opened")
            if store.setting(Setting.SPLIT_PROOF):
                found.append(f"{person.name}: believes the server lies")
            arrived = [e.message for e in person.shown() if isinstance(e, coterie.MessageArrived)]
            twice = {each.text for each in arrived if [a.id for a in arrived].count(each.id) > 1}
            found += [f"{person.name}: was told of {text!r} twice" for text in twice]
        in_log, unseen = _entries(self.hamlet), self._unseen()
        if in_log != len(self.typed) + len(unseen):
            found.append(f"{in_log} entries in logs for {len(self.typed)} messages, {len(unseen)} unseen")
        return found

    def _unseen(self) -> set[tuple[bytes, bytes]]:
        """(device, message) of what devices say to each other in conversations, and no screen shows."""
        found: set[tuple[bytes, bytes]] = set()
        for person in self.hamlet.there:
            rows = person.me._store._all(MESSAGE, 'WHERE "shown" = 0')
            found |= {(row.device, row.message) for row in rows}
        return found


def texts(me: Me, target: str, writer: str) -> list[str]:
    """What one account said there, as it stands in this store."""
    rows = me.history(me.resolve(target), limit=1000)
    return [each.text for each in rows if each.sender == writer]


def _stored(me: Me, message: coterie.Message) -> bool:
    return me._store.message_order(message.conversation, message.sender_device, message.id) is not None


async def _read_all(me: Me, target: str) -> None:
    conversation = me.resolve(target)
    await me.mark_read(conversation, me.history(conversation)[-1].order)


def _unread(me: Me, target: str) -> int:
    found = me.conversation(me.resolve(target))
    return found.unread if found is not None else 0


def _state(me: Me, typed: Typed) -> coterie.MessageState | None:
    found = [each.state for each in me.history(me.resolve(typed.target)) if each.text == typed.text]
    return found[0] if found else None


def _restless(me: Me) -> list[str]:
    """What is still under way in a client."""
    store = me._store
    found = [] if me.link is coterie.LinkState.LIVE else [f"the link is {me.link}"]
    found += [f"{each.value} is unfinished" for each in UNFINISHED if store.setting(each) is not None]
    found += ["something is to be sent"] * bool(store.outbox_conversations() or store.envelopes_out())
    found += [f"a device lacks a key ({each.reason})" for each in store.owed()]
    found += [f"an entry waits ({WaitingReason(each.reason).value})" for each in store.waiting()]
    found += ["messages are missing"] * bool(store.gaps())
    found += ["a receipt is due"] * any(store.has_spoken(each.conversation) for each in store.receipts_due())
    return found


def _unsupplied(hamlet: Hamlet, me: Me) -> list[str]:
    """Where the server has other keys of a device than it made last, or too few."""
    of_device = "JOIN devices ON no = device_no WHERE device = ?"
    standing = _asked(hamlet, f"SELECT signed FROM standing_keys {of_device}", me.device)
    prekeys = {key.kind: key for (packed,) in standing for key in [SignedPrekey.unpack(packed).prekey]}
    ((left,),) = _asked(hamlet, f"SELECT count(*) FROM one_time_keys {of_device}", me.device)
    newest = me._store.current_x_wing()
    fallback_ms = int.from_bytes(me._store.setting(Setting.FALLBACK_MADE_MS) or b"", "big")
    found = []
    if newest is None or newest.id != prekeys[PrekeyKind.X_WING].id:
        found.append("the server has an old X-Wing key")
    if fallback_ms != prekeys[PrekeyKind.FALLBACK].created_ms:
        found.append("the server has an old fallback key")
    if left < limits.ONE_TIME_KEYS // 2:
        found.append(f"the server has {left} one-time keys")
    return found


def _entries(hamlet: Hamlet) -> int:
    """How many messages stand in all logs."""
    ((count,),) = _asked(hamlet, "SELECT count(*) FROM log_entries")
    return int(count)


def _asked(hamlet: Hamlet, sql: str, *values: bytes) -> list[tuple[Any, ...]]:
    """What stands in the server's database."""
    path = str(hamlet.folder / "server" / "server.db")
    database = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return database.execute(sql, values).fetchall()
    finally:
        database.close()
