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
from coterie.server.policy import Now, Tried
from coterie.server.realm import Realm
from coterie.server.store.protocol import Reads
from coterie.server.store.records import BeginReset, NewLeaf, Register
from coterie.server.vault import read_vault, verifiers_of
from coterie.wire.frames import SignUp


async def handle(frame: SignUp, who: Caller, reads: Reads, realm: Realm, now: Now) -> Outcome:
    """A repetition is accepted before rates, token and name are looked at: the answer may have been lost.

    Rates come before signatures: checking a sign-up costs some milliseconds.
    """
    counted = _Counted(who, realm, now)
    try:
        signed = unpack_manifest(frame.manifest)
        limited = not who.loopback and await reads.account(signed.manifest.account) is None
        if limited:
            await counted.begin()
        if signed.manifest.seq > 1:
            heir = await _heir(frame, signed, reads, realm, now)
            await counted.is_good()
            return Outcome(frame.request, save=heir)
        record = _checked(frame, signed, realm, now)
        if limited and not await reads.name_taken(UserName(frame.name)):
            await counted.is_good()
            await counted.take(Tried.SIGN_UP)
    except Refused as error:
        if error.code is not Code.TOO_MANY_TRIES:
            await counted.is_bad()
        return refusal(frame.request, error.code, error.retry_after_seconds)
    return Outcome(frame.request, save=record)


class _Counted:
    """One sign-up of an address: a failure until it is good. A name that somebody has is one."""

    def __init__(self, who: Caller, realm: Realm, now: Now) -> None:
        self._who = who
        self._tries = realm.tries
        self._at = now.monotonic_seconds
        self._taken = False

    async def take(self, tried: Tried) -> None:
        """Raises Refused(too-many-tries)."""
        wait_seconds = await self._tries.take(tried, (self._who.address,), self._at)
        if wait_seconds:
            raise Refused(Code.TOO_MANY_TRIES, retry_after_seconds=wait_seconds)

    async def begin(self) -> None:
        """Raises as take() does."""
        await self.take(Tried.FAILED_SIGN_UP)
        self._taken = True

    async def is_good(self) -> None:
        if self._taken:
            await self._tries.give_back(Tried.FAILED_SIGN_UP, (self._who.address,))
            self._taken = False

    async def is_bad(self) -> None:
        if not self._taken and not self._who.loopback:
            await self._tries.take(Tried.FAILED_SIGN_UP, (self._who.address,), self._at)


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
