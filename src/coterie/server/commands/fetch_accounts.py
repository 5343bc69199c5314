"""FetchAccounts -> Accounts: manifests that the published ledger covers, and prekeys to begin with."""

from __future__ import annotations

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.ids import AccountId
from coterie.server.caller import SignedIn
from coterie.server.commands.outcome import Outcome, refusal
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.store.protocol import Reads
from coterie.wire.frames import Accounts, FetchAccounts
from coterie.wire.frames.accounts import AccountRecord, DeviceKeys

ANSWER_BYTES = limits.FRAME_BYTES - 2 * limits.MANIFEST_BYTES - 64 * 1024
"""Filled at most, so that one account more, its keys and all frames of a turn still fit."""


async def handle(frame: FetchAccounts, who: SignedIn, reads: Reads, realm: Realm, now: Now) -> Outcome:
    """Unknown accounts are absent; so are those that the frame has no room for."""
    wait_seconds = realm.rates.fetches.take(who.account, now.monotonic_seconds)
    if wait_seconds:
        return refusal(frame.request, Code.BUSY, wait_seconds)
    records: list[AccountRecord] = []
    size = 0
    for wanted in frame.accounts:
        account = AccountId(wanted.account)
        deletion = await reads.deletion(account)
        if deletion is not None:
            size += len(deletion)
            records.append(AccountRecord(account, (), (), deletion))
            continue
        manifests = await reads.manifests(account, wanted.seq, realm.ledger.size, ANSWER_BYTES - size)
        if manifests is None:
            continue
        given = await reads.standing_keys(account)
        keys = tuple(DeviceKeys(key.device, key.fallback, key.x_wing) for key in given)
        succession = await reads.succession(account) or b""
        size += (
            len(succession)
            + sum(map(len, manifests))
            + sum(len(key.fallback) + len(key.x_wing) + 32 for key in given)
        )
        records.append(AccountRecord(account, manifests, keys, succession=succession))
        if size > ANSWER_BYTES:
            break
    return Outcome(frame.request, reply=(Accounts(frame.request, tuple(records)),))
