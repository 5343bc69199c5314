"""What this device's person knows of others: whom they have verified, whose identity changed (rule 22)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import msgspec

from coterie.base.codes import Code
from coterie.base.conversations import direct_id
from coterie.base.errors import PersonChanged, Refused, SecurityStop
from coterie.base.ids import AccountId, DeviceId, MessageId
from coterie.client.commands import Say
from coterie.client.core.held import Held
from coterie.client.core.news import News
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.events import IdentityChanged, PersonAppeared, Verified
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import AccountRow, ConversationRow, GiveUp, OutboxRow, OutboxState, Standing
from coterie.content.body import is_shown, unpack
from coterie.content.trust_marks import Word

QUEUED_MOST = 10_000
"""More than anybody leaves waiting for one person."""


def before(people: People, account: AccountId) -> tuple[AccountRow, ...]:
    """The identities that somebody had before this one, as far as they were seen here."""
    row = people.rows.get(account)
    if row is None:
        return ()
    return tuple(each for each in people.rows.values() if each.name == row.name and each.seq < row.seq)


def former_of(people: People, row: AccountRow, gone: frozenset[AccountId] = frozenset()) -> list[AccountRow]:
    """Whom the name of an account stood for before. gone: who lost it in a restore of the server, where its
    own number says nothing."""
    named = (each for each in people.rows.values() if each.name == row.name)
    return [each for each in named if each.seq < row.seq or each.account in gone]


def first_seen(
    people: People, row: AccountRow, head_ms: int, gone: frozenset[AccountId] = frozenset()
) -> AccountRow:
    """An account that was proven for the first time: pinned, unless its name was another's here."""
    former = former_of(people, row, gone)
    if not former:
        return row
    newest = max(former, key=lambda each: each.seq)
    standing = Standing.CHANGED_VERIFIED if newest.once_verified else Standing.CHANGED
    return msgspec.structs.replace(row, standing=standing, changed_ms=row.changed_ms or head_ms)


def changed(people: People, row: AccountRow) -> tuple[IdentityChanged, ...]:
    """What to tell of an account that its name stands for from now on. Of one's own name the reset itself is
    told: nobody writes to oneself under another identity."""
    own = people.rows.get(people.me)
    if not row.waits or row.from_ms or (own is not None and own.name == row.name):
        return ()
    was_verified = row.standing is Standing.CHANGED_VERIFIED
    return (IdentityChanged(people.person(row.account), row.changed_ms, was_verified, row.changed_by),)


def check_may_write(people: People, account: bytes) -> None:
    """Raises PersonChanged where nothing is sent to an account alone until the person has looked,
    SecurityStop(identity-changed) for one that is not what its name stands for, Refused(deleted)."""
    row = people.rows.get(AccountId(account))
    if row is None:
        return
    if row.deleted_ms > 0:
        raise Refused(Code.DELETED)
    if not people.stands(row):
        raise SecurityStop(Code.IDENTITY_CHANGED, "the name stands for another identity")
    if row.waits:
        verified = row.standing is Standing.CHANGED_VERIFIED
        raise PersonChanged(row.name, row.changed_ms, verified=verified, by=row.changed_by)


def may_write(people: People, account: bytes) -> bool:
    """Whether something may be sent to an account alone; to everyone always (b"")."""
    try:
        check_may_write(people, account)
    except (Refused, SecurityStop):
        return False
    return True


def may_say(people: People, command: Say) -> None:
    """The same of what people write; devices may go on, else nobody could be verified anew."""
    if is_shown(command.body):
        check_may_write(people, command.peer)


def to_seal(reads: Reads, people: People, conversation: ConversationRow, most: int) -> list[OutboxRow]:
    """What waits to be sealed for a conversation, in order. While nothing is sent to its person, who may have
    been verified when it was queued, only what devices say among themselves."""
    row = people.rows.get(AccountId(conversation.peer))
    if row is None or not row.waits:
        return reads.outbox(conversation.id, OutboxState.WAITING, most)
    rows = reads.outbox(conversation.id, OutboxState.WAITING, QUEUED_MOST)
    messages = {each.order: reads.message(each.order) for each in rows}
    unseen = [each for each in rows if (said := messages[each.order]) is not None and not said.shown]
    return unseen[:most]


class Standings:
    """Changes what stands with an account."""

    def __init__(self, reads: Reads, people: People, news: News, held: Held) -> None:
        self._reads = reads
        self._people = people
        self._news = news
        self._held = held
        self.moved = False
        """Whether the person, or another device of theirs, has said something since this was set back."""

    def verified(self, account: AccountId, by: DeviceId | None = None) -> Outcome:
        """The person has compared numbers, codes or emoji with that account's person, and they match. by: the
        device on which the other saw the emoji, which is so known to be theirs."""
        outcome = self._put(account, Standing.VERIFIED, Verified)
        confirmed = self._held.confirmed(account, by) if by is not None else ()
        return Outcome(save=(*outcome.save, *confirmed), show=outcome.show)

    def taken_back(self, account: AccountId) -> Outcome:
        """Somebody does not count as verified any more. It opens nothing, whoever said it: what is held stays
        held, and where their identity followed a verified one nothing goes to it until it is verified."""
        row = self._people.rows.get(account)
        if row is None or not row.verified:
            return NOTHING
        former = before(self._people, account)
        followed = any(each.once_verified for each in former)
        return self._put(account, Standing.CHANGED_VERIFIED if followed else Standing.TAKEN_BACK, Verified)

    def confirmed(self, account: AccountId, device: DeviceId) -> Outcome:
        """The person says that a device of somebody, and what it approved, is theirs."""
        self.moved = True
        return Outcome(save=self._held.confirmed(account, device))

    def words(self) -> Iterator[tuple[AccountId, bytes, Word]]:
        """All that stands: of every account whether it is verified, and the devices that were confirmed."""
        for row in self._people.rows.values():
            yield row.account, b"", Word.VERIFIED if row.verified else Word.TAKEN_BACK
        for account, device in self._held.all_confirmed():
            yield account, device, Word.CONFIRMED

    def asked(self, account: AccountId) -> Outcome:
        """What there is to ask about the devices of somebody who is verified now."""
        return Outcome(show=self._held.questions(account))

    def accepted(self, account: AccountId) -> Outcome:
        """The person goes on with a new identity; one whose predecessor was verified has to be verified."""
        row = self._people.rows.get(account)
        if row is None or row.standing is not Standing.CHANGED:
            return NOTHING
        return self._put(account, Standing.PINNED, PersonAppeared)

    def queued(self, account: AccountId) -> tuple[OutboxRow, ...]:
        """What people wrote to the identities before this one, and no server has taken, in order."""
        rows = [
            row
            for former in before(self._people, account)
            for state in (OutboxState.SEALED, OutboxState.WAITING)
            for row in self._reads.outbox(direct_id(self._people.me, former.account), state, QUEUED_MOST)
        ]
        return tuple(sorted(rows, key=lambda row: row.order))

    def move(self, account: AccountId, *, send: bool) -> Iterator[tuple[GiveUp, Say | None]]:
        """Each of them given up, and where it is to be sent and a person can read it: what to say instead."""
        conversation = direct_id(self._people.me, account)
        for queued in self.queued(account):
            row = self._reads.message(queued.order)
            again = None
            if send and row is not None and row.shown:
                id = MessageId(secrets.token_bytes(16))
                again = Say(conversation, account, id, unpack(row.body))
            self._news.of(queued.conversation)
            yield GiveUp(queued.order), again

    def _put(self, account: AccountId, standing: Standing, event: type[Verified | PersonAppeared]) -> Outcome:
        known = self._people.rows.get(account)
        if known is None:
            return NOTHING
        self.moved = True
        row = msgspec.structs.replace(known, standing=standing)
        self._people.saved(row)
        self._news.of(direct_id(self._people.me, account))
        return Outcome(save=(row,), show=(event(self._people.person(account)),))
