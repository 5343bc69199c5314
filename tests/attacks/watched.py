"""A program of which everything that it seals is opened and looked at, by rules that are told here once more.

Nothing is asked of the code under test but what it was shown: its copy of the ledger, and which accounts it
has proven. What follows from that, rules 2, 8, 9 and 22 say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from coterie.base import limits
from coterie.base.conversations import direct_id
from coterie.base.errors import SealBroken
from coterie.base.ids import AccountId, DeviceId, SessionId
from coterie.client.outcome import Outcome
from coterie.content.body import Text, unpack
from coterie.e2ee.group import KeyShare, KeyShares, accept_share, open_message
from coterie.e2ee.pairwise import PlainKind
from coterie.e2ee.vodo import GroupIn
from coterie.ledger.leaves import name_hash
from coterie.ledger.manifest import RECOVERY, DeviceEntry
from coterie.wire.frames import ClientFrame, Envelopes, Send
from coterie.wire.frames.messages import EnvelopeItem
from tests.attacks.neighbours import Neighbour, Town
from tests.attacks.peers import EVERYONE
from tests.attacks.street import Victim


@dataclass
class Clicks:
    """What the person has said of others, and of whom they have to say something first."""

    verified: set[AccountId] = field(default_factory=set)
    accepted: set[AccountId] = field(default_factory=set)
    confirmed: set[bytes] = field(default_factory=set)
    moved: set[tuple[AccountId, AccountId]] = field(default_factory=set)
    """What was written to the one may go to the other."""
    proven: set[AccountId] = field(default_factory=set)
    since_ms: dict[AccountId, int] = field(default_factory=dict)
    """When somebody was first proven whose name was another's here."""
    in_effect: set[AccountId] = field(default_factory=set)
    strict: set[AccountId] = field(default_factory=set)
    """Those of them that nothing but verifying will do for."""

    def saw(self, owners: list[Neighbour], now_ms: int) -> None:
        """The program has proven the accounts of these. Who came in one turn with the one before may have
        come first."""
        new = [each for each in owners if each.account not in self.proven]
        for owner in new:
            former = next((each for each in formers(owner) if each.account in self.proven), None)
            if former is not None:
                self.since_ms[owner.account] = now_ms
                if former.account in self.verified | self.strict:
                    self.strict.add(owner.account)
        self.proven.update(each.account for each in new)

    def verifies(self, account: AccountId) -> None:
        if account in self.proven:
            self.verified.add(account)
            self.accepted.add(account)

    def accepts(self, account: AccountId) -> None:
        if account in self.proven and account not in self.strict:
            self.accepted.add(account)


class Watched(Victim):
    """Every envelope and every message is looked at when it is sealed, under the view that it was sealed
    by."""

    looked_at = 0
    """Envelopes and messages, of all of them."""

    def begin(self, town: Town) -> None:
        self.town, self.clicks = town, Clicks()
        self.seen: set[bytes] = set()
        self.groups: dict[SessionId, GroupIn] = {}
        self.given: dict[SessionId, set[tuple[AccountId, DeviceId]]] = {}

    def committed(self, steps: Callable[[], Iterator[Outcome]]) -> list[ClientFrame]:
        frames = super().committed(steps)
        owners = map(self.town.peers.__getitem__, self.core.people.rows)
        self.clicks.saw([each for each in owners if isinstance(each, Neighbour)], self.now_ms)
        for account in self.clicks.since_ms:
            self._counts(self._owner(account))
        for frame in frames:
            match frame:
                case Envelopes():
                    for item in frame.items:
                        if self._is_new(item.envelope):
                            self._envelope(item)
                case Send() if self._is_new(frame.message):
                    self._message(frame)
                case _:
                    pass
        return frames

    def _is_new(self, id: bytes) -> bool:
        """What is sent again was looked at when it was sealed."""
        if id in self.seen:
            return False
        self.seen.add(id)
        Watched.looked_at += 1
        return True

    def _envelope(self, item: EnvelopeItem) -> None:
        owner = self._owner(AccountId(item.account))
        try:
            opened = owner.opens(item, self.party)
        except SealBroken as broken:
            raise AssertionError("sealed to keys that its owner does not have") from broken
        if opened.kind == PlainKind.KEY_SHARE:
            shares: tuple[KeyShare, ...] = (KeyShare.unpack(opened.content),)
        else:
            assert opened.kind == PlainKind.KEY_SHARES
            shares = KeyShares.unpack(opened.content).shares
        direct, device = direct_id(self.account, owner.account), DeviceId(item.device)
        for share in shares:
            assert share.conversation in (EVERYONE, direct), "a key of somebody else's conversation"
            session = SessionId(share.session)
            self.groups.setdefault(session, accept_share(share))
            self.given.setdefault(session, set()).add((owner.account, device))
            self._may_read(owner, device, alone=share.conversation == direct)

    def _message(self, frame: Send) -> None:
        """Whoever has the key of what is sealed now may have it now, and it was written to them."""
        session = SessionId(frame.session)
        for account, device in self.given.get(session, ()):
            self._may_read(self._owner(account), device, alone=bool(frame.to))
        group = self.groups.get(session)
        if group is None or not frame.to:
            return
        body = unpack(open_message(group, frame.ciphertext, frame.commitment).inner.body)
        assert isinstance(body, Text)
        meant, to = AccountId(bytes.fromhex(body.text)), AccountId(frame.to)
        assert meant == to or (meant, to) in self.clicks.moved, "sealed for another than it was written to"

    def _owner(self, account: AccountId) -> Neighbour:
        owner = self.town.peers[account]
        assert isinstance(owner, Neighbour), "nobody else has devices"
        return owner

    def _may_read(self, owner: Neighbour, device: DeviceId, *, alone: bool) -> None:
        _, leaf = self.core.trust.view.newest_of_account(owner.account) or (0, None)
        assert leaf is not None
        assert leaf.hash in owner.genuine, "sealed by a manifest that its owner never signed"
        entries = owner.genuine[leaf.hash].manifest.devices
        entry = next((each for each in entries if each.id == device), None)
        assert entry is not None, "sealed for a device that the ledger does not have"
        assert entry.live, "sealed for a device that was removed"
        self._has_the_name(owner, alone=alone)
        if alone and owner.account in self.clicks.since_ms:
            assert owner.account in self.clicks.accepted, "sealed for an identity that nobody has looked at"
        if alone and owner.account in self.clicks.verified and entry.marked:
            root = root_of(entry, entries)
            assert root in self.clicks.confirmed, "sealed for a device that nobody has confirmed"

    def _has_the_name(self, owner: Neighbour, *, alone: bool) -> None:
        """A day after a reset was seen the name is the new one's, unless the one before said no."""
        assert self._counts(owner) is not False, "sealed for an identity before its day"
        _, newest = self.core.trust.view.newest_of_name(name_hash(owner.name)) or (0, None)
        if alone and newest is not None and newest.account != owner.account:
            assert newest.account in self.clicks.proven, "sealed while it is withheld whose name it is"
        heir = owner.heir
        while heir is not None:
            assert not self._counts(heir), "sealed for a former identity"
            heir = heir.heir

    def _counts(self, heir: Neighbour) -> bool | None:
        """Whether a reset is in effect here; None where somebody was known first, and where the one before
        said no only after it had been."""
        began_ms = self.clicks.since_ms.get(heir.account)
        if began_ms is None:
            return None
        assert heir.before is not None
        _, leaf = self.core.trust.view.newest_of_account(heir.before.account) or (0, None)
        cancelled = leaf is not None and leaf.seq > heir.first_seq
        if not cancelled and self.now_ms >= began_ms + limits.RESET_AFTER_MS:
            self.clicks.in_effect.add(heir.account)
        if cancelled and heir.account in self.clicks.in_effect:
            return None
        return not cancelled and self.now_ms >= began_ms + limits.RESET_AFTER_MS


def formers(owner: Neighbour) -> Iterator[Neighbour]:
    """Those whose name it was before, the newest first."""
    while owner.before is not None:
        owner = owner.before
        yield owner


def root_of(entry: DeviceEntry, entries: tuple[DeviceEntry, ...]) -> bytes:
    """The device by which a marked one came into its account."""
    by_id = {bytes(each.id): each for each in entries}
    while entry.approved_by != RECOVERY:
        entry = by_id[entry.approved_by]
    return entry.id
