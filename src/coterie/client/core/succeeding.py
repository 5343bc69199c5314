"""Giving one's own account another identity, and following it there (encryption rules 8 and 22).

One device signs what the identity before says last, and the first manifest of the new one; both are on disk
before they are sent. What it hears of its own wish it hears as every other device of the account does: the
ledger names an heir, which is proven (core/proving.py). Once what waited for the account before is drained,
the device goes on there (client/following.py).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from coterie.base.quiet import Quiet
from coterie.client.commands import ReplaceIdentity
from coterie.client.core.keyring import Keyring
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.proving import check_goes_along
from coterie.client.core.requests import Requests, SuccessionGiven
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import AccountRow, PutSetting, Setting
from coterie.e2ee.identity import vault_hash
from coterie.ledger.leaves import LedgerView
from coterie.ledger.manifest import SignedManifest
from coterie.ledger.succession import sign_heir, sign_succession
from coterie.wire.frames import Succeed


class PendingSuccession(Quiet, frozen=True, array_like=True):
    """Signed, and not known to be in the ledger yet. change: as in ReplaceIdentity; the others: as in
    Succeed."""

    change: bytes
    succession: bytes
    manifest: bytes
    vault: bytes
    auth_key: bytes
    recovery_auth_key: bytes

    def pack(self) -> bytes:
        return msgspec.msgpack.encode(self)


_pendings = msgspec.msgpack.Decoder(PendingSuccession)


def pending_succession(reads: Reads) -> PendingSuccession | None:
    """The one that this device has signed."""
    packed = reads.setting(Setting.PENDING_SUCCESSION)
    return _pendings.decode(packed) if packed else None


class Succeeding:
    """At most one is under way."""

    def __init__(
        self,
        reads: Reads,
        people: People,
        keyring: Keyring,
        requests: Requests,
        view: Callable[[], LedgerView],
    ) -> None:
        """view: the ledger as it is now."""
        self._reads = reads
        self._people = people
        self._keyring = keyring
        self._requests = requests
        self._view = view

    @property
    def heir(self) -> AccountRow | None:
        """The account as which one's own goes on, once it is proven."""
        heir = self._view().heir(self._people.me)
        return self._people.rows.get(heir) if heir is not None else None

    def check(self) -> None:
        """Raises SecurityStop where the own account goes on without this device: an heir that was proven
        before this device had come so far."""
        heir = self.heir
        if heir is not None:
            check_goes_along(self._people, heir)

    def replace(self, command: ReplaceIdentity, newest: SignedManifest, now_ms: int) -> Outcome:
        """Sign and give. newest: of the own account. The private keys are used here and nowhere kept."""
        device, keys = self._people.device, self._keyring.device
        hashed = vault_hash(command.vault)
        heir = sign_heir(newest, command.heir, device, keys, hashed, now_ms)
        succession = sign_succession(newest, heir, command.identity, device, keys)
        pending = PendingSuccession(
            change=command.change,
            succession=succession.pack(),
            manifest=heir.pack(),
            vault=command.vault,
            auth_key=command.auth_key,
            recovery_auth_key=command.recovery_auth_key,
        )
        return Outcome(
            save=(PutSetting(Setting.PENDING_SUCCESSION, pending.pack()),),
            send=(self._frame(pending, now_ms),),
        )

    def connected(self, now_ms: int) -> Outcome:
        """Ask for an answer that was lost. Where it was yes, the server says so by `succeeded`."""
        pending = pending_succession(self._reads)
        return NOTHING if pending is None else Outcome(send=(self._frame(pending, now_ms),))

    def _frame(self, pending: PendingSuccession, now_ms: int) -> Succeed:
        seq = SignedManifest.unpack(pending.manifest).manifest.seq
        request = self._requests.new(SuccessionGiven(pending.change, seq), now_ms)
        return Succeed(
            request=request,
            succession=pending.succession,
            manifest=pending.manifest,
            vault=pending.vault,
            auth_key=pending.auth_key,
            recovery_auth_key=pending.recovery_auth_key,
        )
