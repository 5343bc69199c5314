"""This machine becomes a device of an account because a device of the account agrees (encryption rule 8).

It has nothing of the account but its name. Its keys and what it is granted are on the disk, wrapped, before
the other device signs it into the manifest: so no manifest lists a device that lost its keys.
"""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from coterie.base import limits
from coterie.base.clock import Clock, SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Refused, RemoteError, SealBroken, SecurityStop, Unavailable
from coterie.base.ids import AccountId, UserName
from coterie.base.invite import parse_invite
from coterie.base.names import canonical
from coterie.base.quiet import Quiet
from coterie.base.signing import require_primitives
from coterie.client.api.enrolment import (
    DoorKeys,
    DrawnDevice,
    NewDevice,
    keep_profile,
    own_secret,
    profile_of,
)
from coterie.client.api.me import Me
from coterie.client.api.opening import enter, open_store
from coterie.client.api.passwords import check_password
from coterie.client.api.sign_up import TRIES, reach
from coterie.client.api.vault_door import check_secret
from coterie.client.emoji import emoji_of
from coterie.client.events import Emoji
from coterie.client.link import Address, Connection
from coterie.client.store.lock import ProfileLock
from coterie.client.store.profiles import ProfilePlace, new_profile, remove_profile, require_new
from coterie.client.store.records import PutSetting, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.approval import Candidate, Form, Granted, Joining
from coterie.e2ee.identity import AccountSecret, Vault, vault_hash
from coterie.e2ee.pairwise import Party
from coterie.e2ee.password import Argon2Parameters, stretch
from coterie.ledger.manifest import SignedManifest
from coterie.wire.frames import (
    Accepted,
    ApprovalEnded,
    ApprovalRelayed,
    AskApproval,
    EndApproval,
    RelayApproval,
)

LIVE_SECONDS = 30.0


async def ask_approval(
    *,
    server: str,
    name: str,
    password: str,
    home: Path,
    device_name: str = "",
    clock: Clock | None = None,
) -> Asking:
    """Ask the devices of an account to let this machine be one of them. Use the result with `async with`.

        async with await ask_approval(server=invite, name="alice", password=..., home=home) as asking:
            ...                                    show asking.code
            emoji = await asking.answered()        () where the code was given to the other device
            ...                                    the person sees the same on both
            me = await asking.join()

    password: opens this machine's profile from then on; the account's own, or another one. Whether anybody
    has this name the server does not say. Raises Refused(weak-password, too-large, profile-exists, bad-name,
    too-many-tries, needs-invite), Unavailable, SecurityStop. clock: the machine's own, unless a trial brings
    another.
    """
    require_primitives()
    clock = clock or SystemClock()
    wanted = canonical(name)
    check_password(password, wanted, wrapping=False)
    if len(device_name.encode("utf-8", "surrogatepass")) > limits.DEVICE_NAME_BYTES:
        raise Refused(Code.TOO_LARGE, "a device name beyond the limit")
    invite = parse_invite(server)
    connection = await Connection.open(Address(invite.host, invite.port, invite.fingerprint), clock)
    lock: ProfileLock | None = None
    try:
        founding = connection.statement.server
        place = new_profile(home, wanted, founding)
        lock = await ProfileLock.acquire(place, clock)
        require_new(place)
        address = Address(invite.host, invite.port, founding)
    except BaseException:
        connection.close()
        if lock is not None:
            lock.release()
        raise
    drawn = DrawnDevice(device_name, clock)
    asking = Asking(wanted, password, drawn, connection, address, place, lock, clock)
    try:
        await asking.ask()
    except BaseException:
        asking.close()
        raise
    return asking


class _Account(Quiet, frozen=True):
    """What was granted, checked."""

    secret: AccountSecret
    random: bytes
    vault: bytes


class Asking:
    """A request to join. It counts for limits.APPROVAL_SECONDS."""

    def __init__(
        self,
        name: UserName,
        password: str,
        drawn: DrawnDevice,
        connection: Connection,
        address: Address,
        place: ProfilePlace,
        lock: ProfileLock,
        clock: Clock,
    ) -> None:
        self._name = name
        self._password = password
        self._drawn = drawn
        self._connection = connection
        self._address = address
        self._place = place
        self._lock = lock
        self._clock = clock
        self._store: ClientStore | None = None
        self._entered_as: Me | None = None
        self._closed = False
        self._stays = False
        """The other device may have signed this one in: its profile is not to be lost."""
        candidate = Candidate(
            drawn.id, drawn.name, drawn.keys.curve25519, drawn.keys.ed25519, drawn.created_ms
        )
        self._joining = Joining(connection.statement.server, name, candidate, drawn.keys.sign)
        self.code = self._joining.code
        """To be given to a device of the account: 56 letters and digits in groups of four."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def ask(self) -> None:
        """Leave the request with the server."""
        frame = AskApproval(1, self._name, self._joining.rendezvous, self._joining.request)
        if not isinstance(await self._connection.ask(frame), Accepted):
            raise RemoteError(Code.UNEXPECTED_FRAME, "no answer to the request")

    async def answered(self) -> tuple[Emoji, ...]:
        """Wait for a device of the account. The seven emoji to compare with what it shows; () where the code
        was given to it, and nothing is to be compared.

        A connection lost meanwhile is made again. Raises Refused(not-approved) where none answers in time,
        SealBroken where what answers is none, Unavailable.
        """
        try:
            async with asyncio.timeout(limits.APPROVAL_SECONDS):
                message = await self._first()
        except TimeoutError:
            raise Refused(Code.NOT_APPROVED, "no device of the account has answered") from None
        self._say(self._joining.answered(message))
        return emoji_of(self._joining.emoji) if self._joining.form is Form.EMOJI else ()

    async def join(self) -> Me:
        """The person sees the same emoji on both, or the code was given: become a device of the account.

        Raises Refused(not-approved), SealBroken and SecurityStop where what is granted contradicts itself,
        Unavailable: where that is after the other device has agreed, the profile stays and can be opened.
        """
        self._joining.compared()
        granted = self._joining.granted(await self._hear_in_time())
        account = _checked(granted, self._joining.approver, self._name)
        await self._keep(account)
        self._stays = True
        self._say(self._joining.kept)
        return await self._entered(patient=await self._over())

    def close(self) -> None:
        """Ask no more, and leave nothing behind of a request that came to nothing."""
        if self._entered_as is not None or self._closed:
            return
        self._closed = True
        self._connection.send((EndApproval(self._joining.rendezvous),))
        self._connection.close()
        if self._store is not None:
            self._store.close()
        self._lock.release()
        if not self._stays:
            remove_profile(self._place)

    async def _first(self) -> bytes:
        while True:
            try:
                return await self._hear()
            except Unavailable:
                self._connection.close()
            if self._closed:
                raise Refused(Code.NOT_APPROVED, "nobody asks any more")
            self._connection = await reach(self._address, self._clock)
            await self.ask()

    async def _hear_in_time(self) -> bytes:
        try:
            async with asyncio.timeout(limits.APPROVAL_SECONDS):
                return await self._hear()
        except TimeoutError:
            raise Refused(Code.NOT_APPROVED, "the other device has not agreed") from None

    async def _hear(self) -> bytes:
        """What the other side says next."""
        match await self._connection.hear():
            case ApprovalRelayed(rendezvous, message) if rendezvous == self._joining.rendezvous:
                return message
            case ApprovalEnded():
                raise Refused(Code.NOT_APPROVED, "the other side has ended it")
            case _:
                raise RemoteError(Code.UNEXPECTED_FRAME, "not about this request")

    async def _over(self) -> bool:
        """Wait until the other device is done; whether the connection was lost before it was."""
        try:
            await self._hear_in_time()
        except Refused:
            return False
        except Unavailable:
            return True
        finally:
            self._connection.close()
        raise RemoteError(Code.UNEXPECTED_FRAME, "more than was to be said")

    def _say(self, message: bytes) -> None:
        self._connection.send((RelayApproval(self._joining.rendezvous, message),))

    async def _keep(self, account: _Account) -> None:
        """Commit the device, its profile and the account's private keys under the password."""
        founding = self._connection.statement.server
        parameters = Argon2Parameters()
        keys = await asyncio.to_thread(
            stretch, self._password, founding, self._name, account.random, parameters
        )
        owner = AccountId(self._joining.approver.account)
        device = NewDevice(owner, self._drawn.name, self._clock, drawn=self._drawn)
        doors = DoorKeys(keys.store, b"", account.random, parameters)
        profile = profile_of(self._name, device, self._address, self._connection)
        extra = (
            PutSetting(Setting.VAULT, account.vault),
            own_secret(account.secret, keys, account.random),
            PutSetting(Setting.DEVICE_UNCONFIRMED, b"1"),
            PutSetting(Setting.PENDING_PREKEYS, msgspec.msgpack.encode(device.prekeys)),
        )
        self._store = keep_profile(self._place, profile, device, doors, extra)

    async def _entered(self, *, patient: bool) -> Me:
        """Sign in. patient: where the connection was lost, the other device may still be about to sign."""
        wait_seconds = limits.BACKOFF_FIRST_SECONDS
        for _ in range(TRIES if patient else 1):
            me = await self._signed_in()
            if me is not None:
                self._entered_as, self._password = me, ""
                return me
            await self._clock.wait_until(self._clock.monotonic_seconds() + wait_seconds)
            wait_seconds *= 2
        self._stays = False
        raise Refused(Code.NOT_APPROVED, "the account has no such device")

    async def _signed_in(self) -> Me | None:
        """None where the server knows no such device. Where it cannot be asked now, the profile goes on."""
        if self._store is None:
            self._lock = await ProfileLock.acquire(self._place, self._clock)
            self._store = open_store(self._place, self._password)[0]
        store, self._store = self._store, None
        me = enter(store, self._lock, self._clock)
        try:
            await me.wait_live(LIVE_SECONDS)
        except Unavailable:
            return me
        except BaseException as error:
            await me.close()
            if isinstance(error, Refused) and error.code is Code.UNKNOWN_DEVICE:
                return None
            raise
        return me


def _checked(granted: Granted, approver: Party, name: UserName) -> _Account:
    """All of it is the account's whose device has agreed; every contradiction is a security stop."""
    try:
        secret = AccountSecret.unpack(granted.secret)
        vault = Vault.unpack(granted.vault) if granted.vault else None
    except SealBroken:
        raise SecurityStop(Code.SEAL_BROKEN, "what was granted is damaged") from None
    before = SignedManifest.unpack(granted.manifest)
    check_secret(secret, before)
    manifest = before.manifest
    entry = manifest.entry(approver.device)
    if (manifest.account, manifest.name) != (approver.account, name):
        raise SecurityStop(Code.IDENTITY_CHANGED, "the manifest of another account")
    if entry is None or not entry.live or entry.ed25519 != approver.ed25519:
        raise SecurityStop(Code.IDENTITY_CHANGED, "approved by a device that the account does not have")
    if vault is not None and vault_hash(granted.vault) != manifest.vault_hash:
        raise SecurityStop(Code.IDENTITY_CHANGED, "the vault is not the one of the manifest")
    random = secrets.token_bytes(16) if vault is None else vault.random
    return _Account(secret, random, granted.vault)
