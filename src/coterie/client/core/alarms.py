"""What somebody is asked or stopped for: own devices that came, and a ledger that is shown in two ways.

A head counts where the ledger key signed it. Two that contradict each other are kept as proof, and nothing is
sent from then on (encryption rules 14 and 20).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import RemoteError, SealBroken, SecurityStop
from coterie.base.ids import DeviceId
from coterie.base.signing import LedgerPublic
from coterie.client.core.held import root_of
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.profile import Profile
from coterie.client.events import Device, OwnDeviceQuestion
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import AccountRow, PutSetting, Record, Setting
from coterie.ledger.heads import BriefHead, Head, LightHead, SignedHead, check_head, check_light_head
from coterie.ledger.leaves import LedgerView
from coterie.ledger.tree import Tree

T = TypeVar("T")
HEADS_REMEMBERED = 64
"""Heads from messages that are not looked at twice, and that wait for our leaves to reach them, each."""


class SplitProof(msgspec.Struct, frozen=True, array_like=True):
    """ours: the signed head over the leaves kept here, packed (b"" before the first). other: the one that
    contradicts it, as it came: a SignedHead from the server, or a LightHead out of a message. leaves:
    all that other covers, where those kept here do not show it; else none."""

    ours: bytes
    other: bytes
    leaves: tuple[bytes, ...] = ()

    def pack(self) -> bytes:
        return msgspec.msgpack.encode(self)

    @property
    def signed(self) -> tuple[bytes, ...]:
        """Those of both that have both signatures."""
        return tuple(each for each in (self.ours, self.other) if each and not _is_light(each))

    @property
    def light(self) -> tuple[bytes, ...]:
        """The other one, where it came in a message."""
        return (self.other,) if _is_light(self.other) else ()


def _is_light(head: bytes) -> bool:
    try:
        LightHead.unpack(head)
    except RemoteError:
        return False
    return True


_proofs = msgspec.msgpack.Decoder(SplitProof)


class Witness:
    """Holds every head that comes against the leaves that were proven here."""

    def __init__(self, reads: Reads, profile: Profile) -> None:
        self._reads = reads
        self._ledger = profile.ledger
        self._key = LedgerPublic.unpack(profile.ledger_key)
        self._heard: OrderedDict[bytes, None] = OrderedDict()
        self._ahead: OrderedDict[bytes, Head] = OrderedDict()
        self._proof: SplitProof | None = None

    @property
    def stopped(self) -> bool:
        """Whether there is a proof that this server showed two ledgers."""
        return self.kept is not None

    @property
    def kept(self) -> SplitProof | None:
        """The proof, from now or from an earlier run."""
        packed = self._reads.setting(Setting.SPLIT_PROOF)
        return self._proof or (_proofs.decode(packed) if packed else None)

    @property
    def ahead(self) -> int:
        """The size of the largest ledger that others were shown and whose leaves are not here; 0: none."""
        return max((head.size for head in self._ahead.values()), default=0) if self._ahead else 0

    def proof(self) -> tuple[Record, ...]:
        """What to keep after a stop, outside the turn that failed over it."""
        return (PutSetting(Setting.SPLIT_PROOF, self._proof.pack()),) if self._proof else ()

    def signed(self, packed: bytes, view: LedgerView, proven: int) -> Head:
        """The server's head. Raises SecurityStop where it is not the ledger key's, or contradicts the first
        `proven` leaves of the view."""
        try:
            head = check_head(SignedHead.unpack(packed), self._key, self._ledger)
        except SealBroken:
            raise SecurityStop(Code.LEDGER_SPLIT, "a head that the ledger key did not sign") from None
        if head.size <= proven:
            self._compare(head, packed, view)
        return head

    def heard(self, packed: bytes, view: LedgerView, proven: int) -> None:
        """A head out of somebody's message; ignored where it is unsigned, badly signed or of another ledger.

        One that is ahead of the leaves here is no fraud: it is held against them once they are that many.
        Raises SecurityStop where it contradicts them.
        """
        if not packed or packed in self._heard:
            return
        try:
            light = BriefHead.unpack(packed).light(self._ledger)
            head = check_light_head(light, self._key, self._ledger)
        except (SealBroken, RemoteError):
            return
        if head.size <= proven:
            self._compare(head, light.pack(), view)
            _remember(self._heard, packed, None)
        else:
            _remember(self._ahead, light.pack(), head)

    def grown(self, view: LedgerView, ours: bytes) -> None:
        """All leaves of the view are proven by the head `ours`: look at the heads that were ahead of them."""
        for packed, head in list(self._ahead.items()):
            if head.size <= view.size:
                self._compare(head, packed, view, ours)
                del self._ahead[packed]

    def broken(self, note: str, packed: bytes, head: Head, more: tuple[bytes, ...]) -> SecurityStop:
        """Leaves came under the server's head of which one breaks the rules. more: all that came after those
        kept here. Where the head covers them, both are kept as proof."""
        leaves = (*self._reads.leaves(), *more)[: head.size]
        tree = Tree()
        for leaf in leaves:
            tree.append(leaf)
        if (tree.size, tree.root()) == (head.size, head.root):
            self._proof = SplitProof(self._reads.setting(Setting.HEAD) or b"", packed, leaves)
        return SecurityStop(Code.LEDGER_SPLIT, note)

    def _compare(self, head: Head, packed: bytes, view: LedgerView, ours: bytes = b"") -> None:
        """Raises SecurityStop, and has the proof kept, where a signed head has another root than the view."""
        if view.root(head.size) != head.root:
            self._proof = SplitProof(ours or self._reads.setting(Setting.HEAD) or b"", packed)
            raise SecurityStop(Code.LEDGER_SPLIT, "two signed heads of one ledger contradict each other")


def _remember(kept: OrderedDict[bytes, T], packed: bytes, value: T) -> None:
    kept[packed] = value
    while len(kept) > HEADS_REMEMBERED:
        kept.popitem(last=False)


_ids = msgspec.msgpack.Decoder(tuple[bytes, ...])


def asked_devices(reads: Reads) -> tuple[bytes, ...]:
    """Own devices about which nobody has answered, as they are stored."""
    packed = reads.setting(Setting.OWN_QUESTIONS)
    return _ids.decode(packed) if packed else ()


class OwnDevices:
    """Asks about each device that came to this account "was this you?", until it is answered."""

    def __init__(self, reads: Reads, people: People) -> None:
        self._reads = reads
        self._people = people
        self._expected: set[DeviceId] = set()

    def expect(self, devices: Iterable[DeviceId]) -> None:
        """The person here has just approved these: nothing is to be asked about them, as long as the program
        runs. Whether a manifest says so does not count: this device's key may be on a stolen copy."""
        self._expected.update(devices)

    def waiting(self) -> tuple[Device, ...]:
        """Live devices about which nobody has answered."""
        asked = self._asked()
        return tuple(each for each in self._people.own_devices() if each.id in asked and not each.revoked)

    def doubtful(self) -> frozenset[DeviceId]:
        """Devices of this account that may be somebody else's: those about which nobody has answered, and
        those that came by recovery before this one did, which never asked about them: their mark has to do,
        until an unmarked device ends it. But not where both have their mark from one device: the person was
        there when it was approved."""
        row = self._people.rows.get(self._people.me)
        devices = row.devices if row else ()
        ids = [each.device for each in devices]
        mine = ids.index(self._people.device) if self._people.device in ids else 0
        root = root_of(devices, devices[mine]) if devices else None
        elders = (each for each in devices[:mine] if each.live and each.marked)
        apart = (each.device for each in elders if root_of(devices, each) != root)
        return frozenset((*(each.id for each in self.waiting()), *apart))

    def changed(self, known: AccountRow | None, row: AccountRow) -> Outcome:
        """A newer manifest of an account was proven, and is in the people already."""
        if row.account != self._people.me:
            return NOTHING
        mine = {self._people.device, *self._expected}
        new = [device for device in self._unknown(known, row) if device not in mine]
        asked = self._asked()
        fresh = tuple(device for device in new if device not in asked)
        if not fresh:
            return NOTHING
        show = tuple(OwnDeviceQuestion(each) for each in self._people.own_devices() if each.id in fresh)
        return Outcome(save=(self._put((*asked, *fresh)),), show=show)

    def answered(self, device: DeviceId) -> Outcome:
        """The person says that this one is theirs."""
        return Outcome(save=(self._put(tuple(each for each in self._asked() if each != device)),))

    def _unknown(self, known: AccountRow | None, row: AccountRow) -> tuple[DeviceId, ...]:
        """Live devices that this one did not know. One that was here before this one did is known to it: a
        manifest lists devices in the order in which they came."""
        live = [each.device for each in row.devices if each.live]
        if known is None:
            place = live.index(self._people.device) if self._people.device in live else len(live)
            return tuple(live[place + 1 :])
        before = {each.device for each in known.devices}
        return tuple(device for device in live if device not in before)

    def _asked(self) -> tuple[bytes, ...]:
        return asked_devices(self._reads)

    def _put(self, devices: tuple[bytes, ...]) -> PutSetting:
        return PutSetting(Setting.OWN_QUESTIONS, msgspec.msgpack.encode(devices))
