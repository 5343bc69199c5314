"""Who there is: proven accounts, their devices, who is connected, whom a conversation is sealed for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Final

from coterie.base.ids import AccountId, ConversationId, DeviceId, UserName
from coterie.client.core.ports import Reads
from coterie.client.events import ConversationKind, Device, Person
from coterie.client.store.records import AccountRow, ConversationRow, PeerDevice
from coterie.ledger.leaves import name_hash
from coterie.ledger.manifest import RECOVERY

CONVERSATIONS_MAX: Final = 256
"""Of which it is kept who a message there is sealed for."""


class People:
    """Reads accounts through a cache that every saved account row refreshes."""

    def __init__(self, reads: Reads, me: AccountId, device: DeviceId) -> None:
        self._reads = reads
        self.me = me
        self.device = device
        self.online: set[AccountId] = set()
        self.unproven: set[AccountId] = set()
        """Accounts whose newest manifest has not come yet: nothing is sealed for them."""
        self._owners: dict[DeviceId, AccountId] | None = None
        self._recipients: dict[ConversationId, tuple[PeerDevice, ...]] = {}
        """Of conversations in use, who is unproven included."""
        self._holders: dict[UserName, AccountRow] | None = None
        self._begun: dict[bytes, int] | None = None
        self._to_come: tuple[AccountRow, ...] | None = None

    def forget(self) -> None:
        """Read everything again (after a failed commit or a saved account)."""
        vars(self).pop("rows", None)
        self._recipients.clear()
        self._owners = None
        self._holders = None
        self._begun = None
        self._to_come = None

    @cached_property
    def rows(self) -> dict[AccountId, AccountRow]:
        """Every proven account."""
        return {row.account: row for row in self._reads.accounts()}

    def saved(self, row: AccountRow) -> None:
        """An account row is about to be saved."""
        self.rows[row.account] = row
        self._recipients.clear()
        self._holders = None
        self._to_come = None
        if self._begun is not None:
            hashed = name_hash(row.name)
            self._begun[hashed] = min(row.seq, self._begun.get(hashed, row.seq))
        if self._owners is not None:
            self._owners.update((each.device, row.account) for each in row.devices)

    def knew(self, hashed_name: bytes, before_seq: int) -> bool:
        """Whether somebody who had this name before that number was proven here."""
        if self._begun is None:
            self._begun = {}
            for row in self.rows.values():
                hashed = name_hash(row.name)
                self._begun[hashed] = min(row.seq, self._begun.get(hashed, row.seq))
        return self._begun.get(hashed_name, before_seq) < before_seq

    def owner_of(self, device: DeviceId) -> AccountId | None:
        """The account that lists a device, revoked ones too."""
        if self._owners is None:
            self._owners = {each.device: row.account for row in self.rows.values() for each in row.devices}
        return self._owners.get(device)

    def name_of(self, account: AccountId) -> UserName:
        """The proven name, or the beginning of the account id where there is none yet."""
        row = self.rows.get(account)
        return row.name if row else UserName(account.hex()[:8])

    def device_of(self, account: AccountId, device: DeviceId) -> PeerDevice | None:
        """A device, revoked ones too, if it is that account's."""
        row = self.rows.get(account)
        if row is None:
            return None
        return next((each for each in row.devices if each.device == device), None)

    def person(self, account: AccountId) -> Person:
        row = self.rows.get(account)
        return Person(
            name=self.name_of(account),
            account=account,
            online=account in self.online,
            verified=bool(row and row.verified),
            me=account == self.me,
            changed=bool(row and row.waits),
            deleted=self.is_deleted(account),
        )

    @property
    def to_come(self) -> tuple[AccountRow, ...]:
        """Accounts that their name does not stand for yet, or never will: asked for with every turn."""
        if self._to_come is None:
            self._to_come = tuple(row for row in self.rows.values() if row.from_ms)
        return self._to_come

    def is_deleted(self, account: bytes) -> bool:
        """Whether an account was ended by its owner."""
        row = self.rows.get(AccountId(account))
        return row is not None and row.deleted_ms > 0

    def is_replaced(self, account: bytes) -> bool:
        """Whether the name of an account does not stand for it: not yet, or no longer."""
        row = self.rows.get(AccountId(account))
        return row is not None and not self.stands(row)

    def is_current(self, account: AccountId) -> bool:
        """Whether something may be sealed for an account."""
        return not (self.is_deleted(account) or self.is_replaced(account))

    def stands(self, row: AccountRow) -> bool:
        """Whether it is this one of the rows that its name stands for."""
        if self._holders is None:
            counting = (row for row in self.rows.values() if not row.from_ms)
            self._holders = {row.name: row for row in sorted(counting, key=_came)}
        return self._holders.get(row.name) is row

    def everybody(self) -> tuple[Person, ...]:
        """Every proven account that its name stands for, by name."""
        held = (row for row in self.rows.values() if not self.is_replaced(row.account))
        return tuple(self.person(row.account) for row in sorted(held, key=lambda row: row.name))

    def named(self, name: UserName) -> AccountId | None:
        row = self._reads.account_named(name)
        return row.account if row else None

    def own_devices(self) -> tuple[Device, ...]:
        row = self.rows.get(self.me)
        return tuple(
            Device(
                id=each.device,
                name=each.name,
                this=each.device == self.device,
                created_ms=each.created_ms,
                revoked=not each.live,
                approved_by_recovery=each.approved_by == RECOVERY,
                marked=each.marked,
            )
            for each in (row.devices if row else ())
        )

    def recipients(self, conversation: ConversationRow) -> tuple[PeerDevice, ...]:
        """Every live device a message there is sealed for: all entitled ones but this one."""
        devices = self._recipients.get(conversation.id)
        if devices is None:
            if len(self._recipients) >= CONVERSATIONS_MAX:
                self._recipients.clear()
            devices = self._recipients[conversation.id] = tuple(self._entitled(conversation))
        if not self.unproven:
            return devices
        return tuple(each for each in devices if each.account not in self.unproven)

    def _entitled(self, conversation: ConversationRow) -> Iterator[PeerDevice]:
        """The other live devices of those whose names stand for them."""
        if conversation.kind is ConversationKind.EVERYONE:
            accounts = list(self.rows)
        else:
            accounts = sorted({AccountId(conversation.peer), self.me} & self.rows.keys())
        for account in accounts:
            if self.is_current(account):
                devices = self.rows[account].devices
                yield from (each for each in devices if each.live and each.device != self.device)


def target_of(conversation: ConversationRow, people: People) -> str:
    """How a person writes this conversation."""
    if conversation.kind is ConversationKind.EVERYONE:
        return "everyone"
    return "@" + people.name_of(AccountId(conversation.peer))


def _came(row: AccountRow) -> tuple[int, int]:
    """Of accounts of one name the later is higher: by its number, then by when it followed another here."""
    return row.seq, row.changed_ms
