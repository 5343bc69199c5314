"""SignUp -> Accepted: a new account (encryption rules 1, 2, 5, 6)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import Refused, RemoteError, SealBroken
from coterie.base.ids import UserName
from coterie.base.names import canonical
from coterie.ledger.checks import check_first, check_heir
from coterie.ledger.leaves import NO_LEAF, Leaf, LeafKind, name_hash
from coterie.ledger.manifest import SignedManifest
from coterie.server.caller import Caller
from coterie.server.commands.manifests import first_keys, kept, new_leaf, refused_as, unpack_manifest
from coterie.server.commands.outcome import Outcome, refusal
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.store.protocol import Reads
from coterie.server.store.records import BeginReset, NewLeaf, Register
from coterie.server.vault import read_vault, verifiers_of
from coterie.wire.frames import SignUp


async def handle(frame: SignUp, who: Caller, reads: Reads, realm: Realm, now: Now) -> Outcome:
    """A repetition is accepted before rates, token and name are looked at: the answer may have been lost.

    Rates come before signatures: checking a sign-up costs some milliseconds.
    """
    at = now.monotonic_seconds
    failures = realm.rates.failures
    try:
        signed = unpack_manifest(frame.manifest)
        limited = not who.loopback and await reads.account(signed.manifest.account) is None
        if limited:
            _pass(failures.wait_seconds(who.address, at))
        if signed.manifest.seq > 1:
            return Outcome(frame.request, save=await _heir(frame, signed, reads, realm, now))
        record = _checked(frame, signed, realm, now)
        if limited:
            _pass(await _taken(frame, who, reads, realm, now))
    except Refused as error:
        if error.code is not Code.TOO_MANY_TRIES and not who.loopback:
            failures.take(who.address, at)
        return refusal(frame.request, error.code, error.retry_after_seconds)
    return Outcome(frame.request, save=record)


def _pass(wait_seconds: float) -> None:
    if wait_seconds:
        raise Refused(Code.TOO_MANY_TRIES, retry_after_seconds=wait_seconds)


async def _taken(frame: SignUp, who: Caller, reads: Reads, realm: Realm, now: Now) -> float:
    """Take a sign-up from the address' bucket; seconds to wait where there is none. A name that somebody has
    counts as a failure, not as an account."""
    name_taken = await reads.name_taken(UserName(frame.name))
    bucket = realm.rates.failures if name_taken else realm.rates.sign_ups
    return bucket.take(who.address, now.monotonic_seconds)


async def _heir(frame: SignUp, signed: SignedManifest, reads: Reads, realm: Realm, now: Now) -> BeginReset:
    """A name begins anew, where its operator has given a code for it (decision 0027)."""
    login = await reads.login(UserName(frame.name))
    row = await reads.account(login.account) if login is not None else None
    if row is None:
        raise Refused(Code.UNKNOWN_PERSON)
    manifest = signed.manifest
    again = manifest.account == row.account
    if not again and (manifest.seq, manifest.previous) != (row.seq + 1, row.hash):
        raise Refused(Code.STALE_MANIFEST, "a manifest that does not follow the newest of its name")
    register = _register(frame, signed, check_heir, realm, now)
    hashed = name_hash(manifest.name)
    leaf = Leaf(LeafKind.RESET, hashed, manifest.account, manifest.seq, signed.hash, row.leaf)
    register = msgspec.structs.replace(
        register, leaf=NewLeaf(leaf.pack(), hashed, row.leaf), token=realm.token_mac(frame.token)
    )
    return BeginReset(register, manifest.previous)


def _checked(frame: SignUp, signed: SignedManifest, realm: Realm, now: Now) -> Register:
    return _register(frame, signed, check_first, realm, now)


def _register(
    frame: SignUp,
    signed: SignedManifest,
    check: Callable[[SignedManifest, bytes], None],
    realm: Realm,
    now: Now,
) -> Register:
    if canonical(frame.name) != frame.name:
        raise Refused(Code.BAD_NAME, "not in its canonical form")
    manifest = signed.manifest
    try:
        check(signed, hashlib.sha256(frame.vault).digest())
        vault = read_vault(frame.vault)
    except (RemoteError, SealBroken) as error:
        raise refused_as(error, Code.BAD_MANIFEST) from None
    if manifest.name != frame.name:
        raise Refused(Code.BAD_MANIFEST, "a manifest of another name")
    return Register(
        account=manifest.account,
        name=manifest.name,
        manifest=kept(signed, manifest),
        leaf=new_leaf(signed, manifest, NO_LEAF),
        device=first_keys(frame.prekeys, manifest.account, manifest.devices[0], now),
        salt=vault.random,
        vault=frame.vault,
        verifiers=verifiers_of((frame.auth_key, frame.recovery_auth_key), vault, realm.verifier_mac),
        token=None if realm.open_signup else realm.token_mac(frame.token),
        now_ms=now.wall_ms,
    )
