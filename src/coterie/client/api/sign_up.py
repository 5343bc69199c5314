"""A new account, and this machine its first device (encryption rules 1-6).

Everything is committed here before the server hears of it. Where the answer is lost, the same frame is asked
again: at once, and with every later start of the profile, until the server has answered.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from coterie.base import limits
from coterie.base.clock import Clock, SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Refused, RemoteError, Unavailable
from coterie.base.ids import AccountId, UserName
from coterie.base.invite import parse_invite
from coterie.base.names import canonical
from coterie.base.quiet import Quiet
from coterie.base.reset_code import ResetCode, parse_reset_code
from coterie.base.signing import account_id, require_primitives
from coterie.client.api.enrolment import (
    DoorKeys,
    NewDevice,
    first_manifest,
    keep_profile,
    own_secret,
    profile_of,
)
from coterie.client.api.me import Me
from coterie.client.api.opening import enter
from coterie.client.api.passwords import check_password
from coterie.client.api.stretching import stretch
from coterie.client.core.own_vault import kept_auth_keys
from coterie.client.link import Address, Connection
from coterie.client.store.lock import ProfileLock
from coterie.client.store.profiles import new_profile, remove_profile, require_new
from coterie.client.store.records import DropSetting, PutSetting, Setting
from coterie.e2ee.identity import AccountSecret, Vault, WrapKind, vault_hash, verifier_id, wrap_secret
from coterie.e2ee.password import Argon2Parameters, PasswordKeys
from coterie.e2ee.recovery import RecoveryKey, is_passphrase, new_passphrase
from coterie.wire import codec
from coterie.wire.frames import Accepted, SignUp

TRIES = 5
"""How often a request whose answer was lost is asked again before the person hears of it."""


async def sign_up(
    *,
    server: str,
    name: str,
    password: str | None = None,
    home: Path,
    generate_passphrase: bool = False,
    wrap_with_password: bool = False,
    device_name: str = "",
    reset_code: str | None = None,
    clock: Clock | None = None,
) -> Me:
    """Make an account on a server, and this machine its first device.

    reset_code: of the server's operator, for whoever has lost everything: the name begins anew with another
    identity. The account is somebody a day later (reset-pending until then), unless the one before says no.

    server: an invite link, or HOST:PORT. generate_passphrase: the password is one of new_passphrase(), drawn
    here where none is given; who draws it can show it before anything can go wrong. clock: the machine's own,
    unless a trial brings another.

    Raises Refused (name-taken, bad-name, weak-password, sign-up-closed, needs-invite, too-many-tries,
    profile-exists), Unavailable, SecurityStop(identity-changed).
    """
    require_primitives()
    clock = clock or SystemClock()
    wanted = canonical(name)
    passphrase = (password or new_passphrase()) if generate_passphrase else None
    if passphrase is None:
        check_password(password or "", wanted, wrapping=wrap_with_password)
    elif not is_passphrase(passphrase):
        raise Refused(Code.WEAK_PASSWORD, "not a passphrase of coterie's making")
    kind = WrapKind.PASSPHRASE if passphrase else WrapKind.PASSWORD if wrap_with_password else None
    reset = None if reset_code is None else parse_reset_code(reset_code)
    invite = parse_invite(server)
    connection = await Connection.open(Address(invite.host, invite.port, invite.fingerprint), clock)
    try:
        founding = connection.statement.server
        place = new_profile(home, wanted, founding)
        lock = await ProfileLock.acquire(place, clock)
        try:
            require_new(place)
        except Refused:
            lock.release()
            raise
        try:
            new = _new_account(wanted, passphrase or password or "", founding, kind, device_name, clock)
            frame = _frame(new, wanted, reset.token if reset else invite.token, clock, reset)
            address = Address(invite.host, invite.port, founding)
            extra = (
                PutSetting(Setting.VAULT, frame.vault),
                kept_auth_keys(None, frame.auth_key, frame.recovery_auth_key),
                own_secret(new.secret, new.keys, new.random),
                PutSetting(Setting.PENDING_SIGN_UP, codec.encode(frame)),
                PutSetting(Setting.PENDING_RECOVERY_KEY, new.recovery.words().encode()),
            )
            doors = DoorKeys(new.keys.store, new.recovery.store_key, new.random, Argon2Parameters())
            profile = profile_of(wanted, new.device, address, connection)
            store = keep_profile(place, profile, new.device, doors, extra)
            try:
                await _ask_until_answered(connection, address, frame, clock)
                store.begin()
                store.apply((DropSetting(Setting.PENDING_SIGN_UP),))
                store.commit()
            except BaseException:
                store.close()
                raise
        except Refused:
            lock.release()
            remove_profile(place)
            raise
        except BaseException:
            lock.release()
            raise
    finally:
        connection.close()
    me = enter(store, lock, clock)
    me.passphrase = passphrase
    return me


class _NewAccount(Quiet, frozen=True):
    device: NewDevice
    secret: AccountSecret
    keys: PasswordKeys
    recovery: RecoveryKey
    random: bytes
    vault: Vault


def _new_account(
    name: UserName, word: str, founding: AccountId, kind: WrapKind | None, device_name: str, clock: Clock
) -> _NewAccount:
    """Draw every key of an account. kind: what the password wraps the account's secret as, if it does."""
    secret, recovery, random = AccountSecret.generate(), RecoveryKey.generate(), secrets.token_bytes(16)
    account = account_id(secret.identity.public)
    keys = stretch(word, founding, name, random)
    wrapped = [wrap_secret(secret, recovery.wrap_key, WrapKind.RECOVERY, account, random)]
    if kind is not None:
        wrapped.append(wrap_secret(secret, keys.wrap, kind, account, random))
    verifiers = (verifier_id(keys.auth), verifier_id(recovery.auth_key))
    vault = Vault(random, tuple(wrapped), verifiers)
    return _NewAccount(NewDevice(account, device_name, clock), secret, keys, recovery, random, vault)


def _frame(new: _NewAccount, name: UserName, token: bytes, clock: Clock, reset: ResetCode | None) -> SignUp:
    vault = new.vault.pack()
    identity, now_ms = new.secret.identity, clock.wall_ms()
    manifest = first_manifest(new.device, name, identity, vault_hash(vault), now_ms, reset)
    return SignUp(
        request=1,
        name=name,
        manifest=manifest.pack(),
        vault=vault,
        auth_key=new.keys.auth,
        recovery_auth_key=new.recovery.auth_key,
        prekeys=new.device.prekeys,
        token=token,
    )


async def _ask_until_answered(connection: Connection, address: Address, frame: SignUp, clock: Clock) -> None:
    """Ask; where the answer is lost, connect and ask the same again: a repeat changes nothing."""
    for left in reversed(range(TRIES)):
        try:
            answer = await connection.ask(frame)
        except Unavailable:
            if not left:
                raise
        else:
            if not isinstance(answer, Accepted):
                raise RemoteError(Code.UNEXPECTED_FRAME, "no answer to the sign-up")
            return
        finally:
            connection.close()
        connection = await reach(address, clock)


async def reach(address: Address, clock: Clock) -> Connection:
    """Connect, with patience for a server that is starting again."""
    wait_seconds = limits.BACKOFF_FIRST_SECONDS
    for left in reversed(range(TRIES)):
        try:
            return await Connection.open(address, clock)
        except Unavailable:
            if not left:
                raise
        await clock.wait_until(clock.monotonic_seconds() + wait_seconds)
        wait_seconds *= 2
    raise Unavailable(Code.UNREACHABLE)
