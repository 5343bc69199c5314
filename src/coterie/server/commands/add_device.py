"""AddDevice -> Accepted: a device that came in by passphrase or recovery key (encryption rule 8)."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.ledger.manifest import SignedManifest
from coterie.server.caller import Caller
from coterie.server.commands.manifests import (
    checked_successor,
    first_keys,
    kept,
    new_leaf,
    offered,
    take_try,
)
from coterie.server.commands.outcome import Outcome, refusal
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.store.protocol import AccountRow, Reads
from coterie.server.store.records import NewDevice, ReplaceManifest
from coterie.wire.frames import AddDevice


async def handle(frame: AddDevice, who: Caller, reads: Reads, realm: Realm, now: Now) -> Outcome:
    row = await reads.account(who.vault_of) if who.vault_of is not None else None
    if row is None:
        return refusal(frame.request, Code.NOT_SIGNED_IN)
    wait_seconds = realm.rates.fetches.take(row.account, now.monotonic_seconds)
    if wait_seconds:
        return refusal(frame.request, Code.BUSY, wait_seconds)
    try:
        signed = offered(frame.manifest, row)
        wait_seconds = take_try(signed, row, realm, now)
        if wait_seconds:
            return refusal(frame.request, Code.TOO_MANY_TRIES, wait_seconds)
        return Outcome(frame.request, save=_checked(frame, signed, row, now))
    except Refused as error:
        return refusal(frame.request, error.code)


def _checked(frame: AddDevice, signed: SignedManifest, row: AccountRow, now: Now) -> ReplaceManifest:
    """Exactly one device more, nothing else but the number and the time."""
    manifest = signed.manifest
    repeated = signed.hash == row.hash
    added: tuple[NewDevice, ...] = ()
    if not repeated:
        before = checked_successor(row, signed).manifest
        if manifest.vault_hash != before.vault_hash or manifest.devices[:-1] != before.devices:
            raise Refused(Code.BAD_MANIFEST, "more changes than one new device")
        added = (first_keys(frame.prekeys, row.account, manifest.devices[-1], now),)
    return ReplaceManifest(
        account=row.account,
        previous=manifest.previous,
        manifest=kept(signed, manifest),
        leaf=new_leaf(signed, manifest, row.leaf),
        added=added,
        revoked=(),
        salt=b"",
        vault=b"",
        verifiers=(),
        now_ms=now.wall_ms,
    )
