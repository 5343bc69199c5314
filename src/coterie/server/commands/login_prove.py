"""LoginProve -> VaultOpened: the auth key or the recovery auth key is right (encryption rules 5 and 6)."""

from __future__ import annotations

import hmac

from coterie.base.codes import Code
from coterie.base.ids import HASH_BYTES, UserName
from coterie.server.caller import Caller
from coterie.server.commands.outcome import Outcome, VaultOpenedFor, refusal
from coterie.server.policy import Now, Tried
from coterie.server.realm import Realm
from coterie.server.store.protocol import Reads
from coterie.wire.frames import LoginProve, VaultOpened

_NOBODY = (bytes(HASH_BYTES), bytes(HASH_BYTES))


async def handle(frame: LoginProve, who: Caller, reads: Reads, realm: Realm, now: Now) -> Outcome:
    """Failures are counted by name and address, so that nobody can lock out somebody somewhere else; devices
    that are signed in never come here. Each is taken for one until it turns out to be right, so that many at
    once, at many servers, are no more than one after the other."""
    place = (frame.name, who.address)
    wait_seconds = await realm.tries.take(Tried.LOGIN, place, now.monotonic_seconds)
    if wait_seconds:
        return refusal(frame.request, Code.TOO_MANY_TRIES, wait_seconds)
    mac = realm.verifier_mac(frame.auth_key)
    row = await reads.login(UserName(frame.name))
    accepted = [verifier.mac for verifier in row.verifiers] if row is not None else _NOBODY
    matches = [hmac.compare_digest(mac, each) for each in accepted]
    if row is None or not any(matches):
        return refusal(frame.request, Code.WRONG_CREDENTIALS)
    await realm.tries.give_back(Tried.LOGIN, place)
    opened = VaultOpened(frame.request, row.vault, row.manifest, int(row.resetting))
    return Outcome(frame.request, reply=(opened,), push=(VaultOpenedFor(row.account),))
