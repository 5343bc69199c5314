"""How much of which ledger somebody saw, or stood in, over all lives of the server's data (encryption rule
24; docs/decisions/0038 and 0062)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from coterie.base.errors import RemoteError, SealBroken
from coterie.base.ids import LedgerId
from coterie.base.signing import LedgerPublic
from coterie.client.core.lives import LedgerLeft, ledgers_left
from coterie.client.core.ports import Reads
from coterie.client.core.profile import Profile
from coterie.client.store.records import AccountRow, MessageRow, PeerDevice
from coterie.content.repair import Stood
from coterie.e2ee.group import InnerMessage
from coterie.ledger.heads import BriefHead, Head, LightHead, check_light_head
from coterie.ledger.leaves import Leaf
from coterie.ledger.manifest import SignedManifest
from coterie.ledger.tree import verify_inclusion


class Seen(msgspec.Struct, frozen=True, order=True):
    """A ledger by its place among the lives of the server's data, and a size of it; or a leaf's index."""

    life: int
    size: int


class LedgersSeen:
    """Knows the ledgers that were left, and their keys."""

    def __init__(self, reads: Reads, profile: Profile) -> None:
        self._reads = reads
        left = ledgers_left(reads)
        self._ledgers = (*left, LedgerLeft(profile.ledger, profile.ledger_key))
        """Of each life, the one of now last."""
        self._life = {each.ledger: life for life, each in enumerate(self._ledgers)}
        self.now = len(left)

    def by_sender(self, row: MessageRow) -> Seen | None:
        """What the sender of a message had when it sealed it; None where nothing proves that."""
        for life in reversed(range(len(self._ledgers))):
            ledger, key = self._ledgers[life].ledger, self._ledgers[life].key
            try:
                light = BriefHead.unpack(InnerMessage.unpack(row.inner).head).light(ledger)
                return Seen(life, check_light_head(light, LedgerPublic.unpack(key), ledger).size)
            except (RemoteError, SealBroken):
                continue
        return None

    def of_device(self, device: PeerDevice) -> Seen | None:
        """The first place at which this device saw another one stand."""
        known = self._reads.device_since(device.account, device.device)
        places = [Seen(self._life.get(LedgerId(since.ledger), -1), since.leaf) for since in known]
        return min(places, default=None)

    def proves(self, stood: Stood, device: PeerDevice, account: AccountRow) -> bool:
        """Whether it shows that a device was among those of its account in a ledger that was left. account:
        as it is proven in the ledger of now."""
        try:
            light = LightHead.unpack(stood.head)
            life = self._life.get(Head.unpack(light.payload).ledger, self.now)
            if life == self.now:
                return False
            left = self._ledgers[life]
            head = check_light_head(light, LedgerPublic.unpack(left.key), left.ledger)
            verify_inclusion(stood.leaf, stood.index, head.size, stood.path, head.root)
            leaf = Leaf.unpack(stood.leaf)
        except (RemoteError, SealBroken):
            return False
        signed = (each for each in self._signed_by(account) if each.hash == leaf.hash)
        return any(
            entry.live and entry.id == device.device for each in signed for entry in each.manifest.devices
        )

    def _signed_by(self, account: AccountRow) -> Iterator[SignedManifest]:
        """What an account that has not ended has listed as its devices, as far as it is kept."""
        yield SignedManifest.unpack(account.manifest)
        for past in self._reads.past(account.account):
            yield SignedManifest.unpack(past.signed)
