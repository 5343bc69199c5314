"""Opening a profile that is on this machine."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from coterie.base.clock import Clock, SystemClock
from coterie.base.invite import Invite, parse_invite
from coterie.base.signing import require_primitives
from coterie.client.api.account_key import password_keys
from coterie.client.api.me import Me
from coterie.client.api.renewal import Renewal
from coterie.client.core.profile import unpack_profile
from coterie.client.store.keys import StoreWrapKind, open_database_key, read_key_file
from coterie.client.store.lock import ProfileLock
from coterie.client.store.profiles import ProfilePlace, find_profile
from coterie.client.store.records import PutSetting, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.password import PasswordKeys


class Opening:
    """What open() returns: use it with `async with`, or await it and close the result yourself."""

    def __init__(
        self, home: Path, profile: str | None, password: str, server: str | None, clock: Clock
    ) -> None:
        self._clock = clock
        self._invite = parse_invite(server) if server else None
        self._home = home
        self._profile = profile
        self._password = password
        self._me: Me | None = None

    def __await__(self) -> Generator[Any, None, Me]:
        return self._open().__await__()

    async def __aenter__(self) -> Me:
        self._me = await self._open()
        return self._me

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._me is not None:
            await self._me.close()

    async def _open(self) -> Me:
        require_primitives()
        clock = self._clock
        place = find_profile(self._home, self._profile)
        lock = await ProfileLock.acquire(place, clock)
        try:
            store, keys = open_store(place, self._password)
            if self._invite is not None:
                _move(store, self._invite)
            return enter(store, lock, clock, keys)
        except BaseException:
            lock.release()
            raise


def open(
    home: Path,
    *,
    profile: str | None = None,
    password: str,
    server: str | None = None,
    clock: Clock | None = None,
) -> Opening:
    """Open a profile of this machine; works without a network.

    server: an invite link or HOST:PORT, where the profile's server has moved; it has to prove the same
    identity. An invite to another server is ignored: it is not this profile's.
    clock: the machine's own, unless a trial brings another.

    Raises (on entering) Refused: no-profile, wrong-credentials, usage (several profiles); Unavailable:
    profile-in-use, disk, newer-schema.
    """
    return Opening(home, profile, password, server, clock or SystemClock())


def open_store(place: ProfilePlace, password: str) -> tuple[ClientStore, PasswordKeys]:
    """The store of a profile whose lock the caller holds, and the keys of the password that opened it.

    Raises Refused(wrong-credentials), Unavailable(disk, newer-schema).
    """
    file = read_key_file(place)
    keys = password_keys(file, password)
    return ClientStore.open(place, open_database_key(file, StoreWrapKind.PASSWORD, keys.store)), keys


def _move(store: ClientStore, invite: Invite) -> None:
    """Keep where the profile's server is now."""
    profile = unpack_profile(store.setting(Setting.PROFILE))
    if invite.fingerprint not in (None, profile.server) or (invite.host, invite.port) == profile.place:
        return
    moved = msgspec.structs.replace(profile, host=invite.host, port=invite.port)
    try:
        store.begin()
        store.apply((PutSetting(Setting.PROFILE, moved.pack()),))
        store.commit()
    except BaseException:
        store.close()
        raise


def enter(store: ClientStore, lock: ProfileLock, clock: Clock, keys: PasswordKeys | None = None) -> Me:
    """Start a profile; it carries the recovery key as long as that was not shown. keys: of the password that
    opened it, None for one that was just made here and can be no copy."""
    try:
        words = store.setting(Setting.PENDING_RECOVERY_KEY)
        renewal = None if keys is None else Renewal(store, keys, clock)
        me = Me(store, lock, unpack_profile(store.setting(Setting.PROFILE)), clock, renewal)
    except BaseException:
        store.close()
        raise
    me.recovery_key = words.decode() if words else None
    return me
