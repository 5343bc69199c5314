"""The account's newest vault on this device: another of its devices may have replaced it (rules 2 and 6).

What the server hands out counts only where the newest proven own manifest names its hash. So a server that
plays an old vault gains nothing: nobody signs another on top of it, and a recovery key that was replaced
stays dead. docs/protocol.md 2.5.
"""

from __future__ import annotations

import logging

import msgspec

from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.requests import Requests, VaultAsked, VaultOffered
from coterie.client.events import VaultRenewed
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import DropSetting, PutSetting, Setting
from coterie.e2ee.identity import Vault, vault_hash, verifier_id
from coterie.ledger.manifest import SignedManifest
from coterie.wire.frames import FetchVault, OfferVault, VaultGiven

log = logging.getLogger("coterie.client.own_vault")

_auth_keys = msgspec.msgpack.Decoder(tuple[bytes, ...])
AUTH_KEYS_KEPT = 4


def kept_auth_keys(before: bytes | None, *keys: bytes) -> PutSetting:
    """The auth keys that this device knows, with those that came now."""
    known = (*(_auth_keys.decode(before) if before else ()), *(each for each in keys if each))
    return PutSetting(Setting.AUTH_KEYS, msgspec.msgpack.encode(known[-AUTH_KEYS_KEPT:]))


class OwnVault:
    """Asks once for each manifest and connection."""

    def __init__(self, reads: Reads, people: People, requests: Requests) -> None:
        self._reads = reads
        self._people = people
        self._requests = requests
        self._asked_seq = 0

    @property
    def is_newest(self) -> bool:
        """Whether the vault kept here is the one that the newest proven own manifest names."""
        row = self._people.rows.get(self._people.me)
        if row is None:
            return False
        named = SignedManifest.unpack(row.manifest).manifest.vault_hash
        return vault_hash(self._reads.setting(Setting.VAULT) or b"") == named

    def connected(self, now_ms: int) -> Outcome:
        self._asked_seq = 0
        if self._reads.setting(Setting.VAULT_DUE) is not None and self.is_newest:
            return self._offer(now_ms)
        return self.moved(now_ms)

    def _offer(self, now_ms: int) -> Outcome:
        """A restored server may lack it (docs/protocol.md 3.13), and what logs in by it."""
        vault = Vault.unpack(self._reads.setting(Setting.VAULT) or b"")
        packed = self._reads.setting(Setting.AUTH_KEYS)
        keys = _auth_keys.decode(packed) if packed else ()
        known = [each for each in keys if verifier_id(each) in vault.verifiers]
        first, second = (*known, b"", b"")[:2]
        request = self._requests.new(VaultOffered(), now_ms)
        return Outcome(send=(OfferVault(request, vault.pack(), first, second),))

    def given(self) -> Outcome:
        """The server has it, or has another."""
        return Outcome(save=(DropSetting(Setting.VAULT_DUE),))

    def moved(self, now_ms: int) -> Outcome:
        """Accounts were proven: perhaps the own one, with another vault."""
        row = self._people.rows.get(self._people.me)
        if row is None or row.seq <= self._asked_seq:
            return NOTHING
        self._asked_seq = row.seq
        if self.is_newest:
            return NOTHING
        return Outcome(send=(FetchVault(self._requests.new(VaultAsked(), now_ms)),))

    def came(self, frame: VaultGiven) -> Outcome:
        """Keep it where it is the newest. Another may be ahead of what is proven here, or a lie: it is asked
        for again with the next manifest or connection."""
        row = self._people.rows.get(self._people.me)
        named = SignedManifest.unpack(row.manifest).manifest.vault_hash if row else b""
        if vault_hash(frame.vault) != named:
            log.warning("a vault that the newest own manifest does not name")
            return NOTHING
        return Outcome(save=(PutSetting(Setting.VAULT, frame.vault),), show=(VaultRenewed(),))
