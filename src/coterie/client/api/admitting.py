"""Admitting a new device to one's own account, from a device that is one of it (encryption rule 8).

Nobody hears of devices that want to join unless a person looks for them: a stranger who asks bothers nobody
(docs/decisions/0031). The exchange lives in memory, for as long as the person looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import CoterieError, Refused, SealBroken, Unavailable
from coterie.base.ids import DeviceId
from coterie.client.api.account_key import AccountKey
from coterie.client.api.leaving import Leaving
from coterie.client.changes import AddApproved
from coterie.client.commands import AnswerDevice, LeaveDevice, WatchForDevices
from coterie.client.core.own_account import successor
from coterie.client.emoji import emoji_of
from coterie.client.events import ApprovalHeard, ApprovalsRefused, ApprovalStep, Emoji
from coterie.client.runtime import Runtime
from coterie.client.store.profiles import ProfilePlace
from coterie.client.store.records import Setting
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.approval import Approving, Candidate
from coterie.e2ee.approval_code import ApprovalCode
from coterie.e2ee.identity import AccountSecret, vault_hash
from coterie.e2ee.pairwise import Party
from coterie.ledger.devices import check_devices
from coterie.ledger.manifest import SignedManifest

KNOWN_MOST = 100
"""Devices of one look that are listened to, whatever the server tells of."""
DEVICE_SECONDS = 30.0
"""How long the other device may take for what it does by itself."""


class Admitting(Leaving):
    """One look for new devices at a time."""

    def __init__(self, store: ClientStore, runtime: Runtime, place: ProfilePlace) -> None:
        super().__init__(store, runtime, place)
        self._joiners: Joiners | None = None

    @asynccontextmanager
    async def joiners(self, code: str | None = None) -> AsyncIterator[Joiners]:
        """Look for devices that want to join this account; outside of it nothing is shown of any.

        code: the text that the new device shows: then only that one is looked for, and no emoji need to be
        compared. Raises Refused(usage) for what is no such code, (version) for one of a newer coterie, (busy)
        where somebody looks already; Unavailable where there is no connection.
        """
        given = None if code is None else _code(code)
        if self._joiners is not None:
            raise Refused(Code.BUSY, "somebody looks for new devices already")
        await self.wait_live()
        joiners = self._joiners = Joiners(self, given)
        try:
            rendezvous = b"" if given is None else given.rendezvous
            await self._runtime.tell(WatchForDevices(limits.APPROVAL_SECONDS, rendezvous))
            yield joiners
        finally:
            self._joiners = None
            joiners.end(Refused(Code.NOT_APPROVED, "nobody looks any more"))
            with suppress(Unavailable):
                await self._runtime.tell(WatchForDevices(0))

    def _approval_heard(self, event: ApprovalHeard | ApprovalsRefused) -> None:
        if self._joiners is None:
            return
        if isinstance(event, ApprovalsRefused):
            self._joiners.end(Refused(event.code, retry_after_seconds=event.retry_after_ms / 1000))
        else:
            self._joiners.heard(event)

    def _unwatched(self) -> None:
        """The connection is gone, and what was under way with it."""
        if self._joiners is not None:
            self._joiners.end(Unavailable(Code.UNREACHABLE, "the connection was lost"))

    async def say_to_joiner(self, rendezvous: bytes, message: bytes) -> None:
        await self._runtime.tell(AnswerDevice(rendezvous, message))

    async def leave_joiner(self, rendezvous: bytes) -> None:
        with suppress(Unavailable):
            await self._runtime.tell(LeaveDevice(rendezvous))

    def approving(self, event: ApprovalHeard, code: ApprovalCode | None) -> Approving:
        """This device's side of an exchange. Raises SealBroken for a request that does not hold."""
        me = Party(self.account, self.device, self._core.keyring.device.ed25519)
        return Approving(event.message, me, self._profile.server, self.name, event.rendezvous, code)

    async def key(self, password: str, recovery_key: str | None) -> AccountKey:
        """What opens the account's private keys, tried. Raises Refused(wrong-credentials,
        needs-recovery-key)."""
        return await self._key(password, recovery_key)

    def own_manifest(self) -> SignedManifest:
        """Raises Unavailable where it is not proven here yet."""
        row = self._store.account(self.account)
        if row is None:
            raise Unavailable(Code.UNPROVEN, "the own manifest has not come yet")
        return SignedManifest.unpack(row.manifest)

    def addition(self, device: Candidate) -> AddApproved:
        """What the next manifest is to say. Raises Refused(bad-manifest, too-many-devices) where it cannot:
        an id or a key that is another device's, a name that is too long."""
        added = AddApproved(
            device.id, device.name, device.curve25519, device.ed25519, device.created_ms, self.device
        )
        if self._core.people.owner_of(device.id) is not None:
            raise Refused(Code.BAD_MANIFEST, "the id of a device that is there already")
        after = successor(self.own_manifest(), (added,), 0)
        try:
            check_devices(after.devices if after is not None else ())
        except SealBroken as broken:
            raise Refused(broken.code, broken.note) from None
        return added

    def grant(self, approving: Approving, secret: AccountSecret) -> bytes:
        """What the new device gets: the private keys, and the newest manifest with its vault."""
        newest, vault = self.own_manifest(), self._store.setting(Setting.VAULT) or b""
        known = vault if vault_hash(vault) == newest.manifest.vault_hash else b""
        return approving.grant(secret, newest.pack(), known)


class Joiners:
    """The devices that want to join, while a person looks: `async with me.joiners() as joiners`."""

    def __init__(self, me: Admitting, code: ApprovalCode | None) -> None:
        self._me = me
        self._code = code
        self._new: asyncio.Queue[Joiner | CoterieError] = asyncio.Queue()
        self._known: dict[bytes, Joiner] = {}
        self._ended: CoterieError | None = None

    async def next(self, timeout_seconds: float = limits.APPROVAL_SECONDS) -> Joiner:
        """The next device that wants to join, perhaps a stranger's.

        Raises Refused(not-approved) where none asks in time, SealBroken where what asks is not what the code
        was shown for; Refused(too-many-tries), Unavailable.
        """
        if self._ended is not None and self._new.empty():
            raise self._ended
        try:
            async with asyncio.timeout(timeout_seconds):
                found = await self._new.get()
        except TimeoutError:
            raise Refused(Code.NOT_APPROVED, "no device asks") from None
        if isinstance(found, CoterieError):
            raise found
        return found

    def heard(self, event: ApprovalHeard) -> None:
        """Out of the runtime: something came of a device."""
        known = self._known.get(event.rendezvous)
        if event.step is not ApprovalStep.ASKED:
            if known is not None:
                known.heard(event)
            return
        if known is not None or self._ended is not None or len(self._known) == KNOWN_MOST:
            return
        try:
            joiner = Joiner(
                self._me, event, self._me.approving(event, self._code), given=self._code is not None
            )
        except SealBroken as broken:
            if self._code is not None:
                self._new.put_nowait(broken)
            return
        self._known[event.rendezvous] = joiner
        self._new.put_nowait(joiner)

    def end(self, error: CoterieError) -> None:
        """Nothing more is heard of any of them."""
        if self._ended is None:
            self._ended = error
            self._new.put_nowait(error)
            for joiner in self._known.values():
                joiner.end(error)


class Joiner:
    """One device that wants to join. Whoever it is: compare() first, unless its code was given."""

    def __init__(self, me: Admitting, asked: ApprovalHeard, approving: Approving, *, given: bool) -> None:
        self._me = me
        self._rendezvous = asked.rendezvous
        self._approving = approving
        self._given = given
        self._compared = False
        self._declined = False
        self._lost: Unavailable | None = None
        """This device's connection, over which it was told that all is well."""
        self._said: asyncio.Queue[bytes | CoterieError] = asyncio.Queue()

    @property
    def device(self) -> DeviceId:
        return self._approving.candidate.id

    @property
    def name(self) -> str:
        """What it calls itself: a stranger's words."""
        return self._approving.candidate.name

    async def compare(self) -> tuple[Emoji, ...]:
        """Answer it, and come to the seven emoji that it shows too, unless somebody stands between.

        Raises Refused(not-approved) where it is gone, SealBroken where it does not keep to what it committed
        to, Unavailable.
        """
        try:
            if not self._compared:
                await self._me.say_to_joiner(self._rendezvous, self._approving.answer)
                self._approving.revealed(await self._next(DEVICE_SECONDS))
                self._compared = True
        except BaseException:
            await self.decline()
            raise
        return emoji_of(self._approving.emoji)

    async def approve(self, *, password: str = "", recovery_key: str | None = None) -> None:
        """The emoji are the same on both, or its code was given: it becomes a device of this account.

        It gets the account's private keys, has them on its disk under its own password, and is then signed
        into the manifest. Raises Refused: wrong-credentials, needs-recovery-key (try again),
        too-many-devices, bad-manifest, not-approved (it is gone, or its person said no; where a connection
        was lost over it the list of devices says whether it has joined), usage (nobody has compared
        anything); SealBroken, Unavailable.
        """
        key = await self._me.key(password, recovery_key)
        if self._declined:
            raise Refused(Code.NOT_APPROVED, "its person said no")
        if self._given:
            await self.compare()
        elif not self._compared:
            raise Refused(Code.USAGE, "nobody has compared the emoji")
        try:
            added = self._me.addition(self._approving.candidate)
            grant = self._me.grant(self._approving, await asyncio.to_thread(key.secret))
            await self._me.say_to_joiner(self._rendezvous, grant)
            self._approving.check_kept(await self._next(limits.APPROVAL_SECONDS))
            await self._me.change_account((added,), key, check=self._require_connected)
        finally:
            await self.decline()

    async def decline(self) -> None:
        """Nothing more is said to it, whatever a server may still let through."""
        self._declined = True
        await self._me.leave_joiner(self._rendezvous)

    def heard(self, event: ApprovalHeard) -> None:
        """Out of the runtime: it said something, or is gone."""
        if event.step is ApprovalStep.ENDED:
            self.end(Refused(Code.NOT_APPROVED, "the other device is gone"))
        elif self._said.qsize() < limits.APPROVAL_RELAYS:
            self._said.put_nowait(event.message)

    def end(self, error: CoterieError) -> None:
        if isinstance(error, Unavailable):
            self._lost = error
        self._said.put_nowait(error)

    def _require_connected(self) -> None:
        """Where this device was gone the other one has been told that it came to nothing, and keeps nothing:
        it must never be listed."""
        if self._lost is not None:
            raise self._lost

    async def _next(self, timeout_seconds: float) -> bytes:
        try:
            async with asyncio.timeout(timeout_seconds):
                said = await self._said.get()
        except TimeoutError:
            raise Refused(Code.NOT_APPROVED, "the other device does not answer") from None
        if isinstance(said, CoterieError):
            raise said
        return said


def _code(text: str) -> ApprovalCode:
    try:
        return ApprovalCode.from_text(text)
    except SealBroken as broken:
        if broken.code is Code.VERSION:
            raise Refused(Code.VERSION) from None
        raise Refused(Code.USAGE, "this is not the code that a new device shows") from None
