"""The account's newest vault on this device: another of its devices may have replaced it (rules 2 and 6).

What the server hands out counts only where the newest proven own manifest names its hash. So a server that
plays an old vault gains nothing: nobody signs another on top of it, and a recovery key that was replaced
stays dead. docs/protocol.md 2.5.
"""

from __future__ import annotations

import logging

from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.requests import Requests, VaultAsked
from coterie.client.events import VaultRenewed
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import PutSetting, Setting
from coterie.e2ee.identity import vault_hash
from coterie.ledger.manifest import SignedManifest
from coterie.wire.frames import FetchVault, VaultGiven

log = logging.getLogger("coterie.client.own_vault")


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
        return self.moved(now_ms)

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
