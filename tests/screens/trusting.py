"""The part of an account in memory that is about trust: it answers as the SDK does."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import CoterieError, Refused, SecurityStop
from coterie.base.ids import AccountId, DeviceId, UserName
from coterie.client.emoji import emoji_of
from coterie.client.events import Comparison, ComparisonStep, Device, Emoji, IdentityChanged, Message
from coterie.client.shapes import Unreadable
from coterie.e2ee.fingerprint import SafetyCode, safety_number

PASSWORD = "seventeen quiet otters"
RECOVERY_KEY = " ".join(f"word{number}" for number in range(24))
"""Either opens the account's keys here."""
EMOJI = emoji_of(range(7))


class OneJoiner:
    """A device that wants to join."""

    def __init__(self, trusting: Trusting, device: DeviceId, name: str) -> None:
        self._trusting = trusting
        self.device = device
        self.name = name
        self.compared = False
        self.gone = False
        self.approved = False

    async def compare(self) -> tuple[Emoji, ...]:
        if self.gone:
            raise Refused(Code.NOT_APPROVED)
        self.compared = True
        return EMOJI

    async def approve(self, *, password: str = "", recovery_key: str | None = None) -> None:
        self._trusting.open_keys(password, recovery_key)
        if not self.compared and not self._trusting.code_given:
            raise Refused(Code.USAGE)
        self.approved = True

    async def decline(self) -> None:
        self.gone = True


class AllJoiners:
    def __init__(self, trusting: Trusting) -> None:
        self._trusting = trusting
        self._told = 0

    async def next(self) -> OneJoiner:
        if self._told == len(self._trusting.joining):
            raise Refused(Code.NOT_APPROVED)
        self._told += 1
        return self._trusting.joining[self._told - 1]


class Trusting:
    """verified: whom this account has verified; calls: what was asked that changes something."""

    name: UserName
    account: AccountId

    def __init__(self) -> None:
        self.server = "chat.example.org:4433"
        self.recovery_key: str | None = None
        self.wrapped_with_password = False
        self.is_last_device = False
        self.reset_at_ms: int | None = None
        self.asked_about: list[Device] = []
        self.own_devices: dict[DeviceId, Device] = {}
        self.lost = False
        self.without_secret = False
        self.unreadable_now = 0
        self.told = False
        self.calls: list[str] = []
        self.password = PASSWORD
        self.comparisons: dict[str, Comparison] = {}
        self.contacts_asked: dict[str, tuple[Device, ...]] = {}
        self.queued: dict[str, tuple[Message, ...]] = {}
        self.identity_changes: dict[str, IdentityChanged] = {}
        self.joining: list[OneJoiner] = []
        self.looking = False
        self.code_given = False
        self.right_code = "right code"
        self.trouble: CoterieError | None = None
        """Raised by the next call that changes something."""

    # devices

    def questions(self) -> tuple[Device, ...]:
        return tuple(self.asked_about)

    @property
    def renewal_due(self) -> bool:
        return self.lost

    def devices(self) -> tuple[Device, ...]:
        return tuple(self.own_devices.values())

    async def rename_device(
        self, device: DeviceId, name: str, *, password: str = "", recovery_key: str | None = None
    ) -> None:
        self.open_keys(password, recovery_key)
        self.own_devices[device] = msgspec.structs.replace(self.own_devices[device], name=name)

    async def revoke_device(
        self, device: DeviceId, *, password: str = "", recovery_key: str | None = None
    ) -> None:
        self.open_keys(password, recovery_key)
        self.own_devices[device] = msgspec.structs.replace(self.own_devices[device], revoked=True)

    async def lose_device(
        self, device: DeviceId, *, password: str = "", recovery_key: str | None = None
    ) -> None:
        await self.revoke_device(device, password=password, recovery_key=recovery_key)
        self.lost = True

    async def deny_device(
        self, device: DeviceId, *, password: str = "", recovery_key: str | None = None
    ) -> None:
        await self.lose_device(device, password=password, recovery_key=recovery_key)
        await self.confirm_device(device)

    async def unmark_device(
        self, device: DeviceId, *, password: str = "", recovery_key: str | None = None
    ) -> None:
        self.open_keys(password, recovery_key)
        self.own_devices[device] = msgspec.structs.replace(self.own_devices[device], marked=False)

    async def confirm_device(self, device: DeviceId) -> None:
        self.asked_about = [each for each in self.asked_about if each.id != device]

    @asynccontextmanager
    async def joiners(self, code: str | None = None) -> AsyncIterator[AllJoiners]:
        if code not in (None, self.right_code):
            raise Refused(Code.USAGE)
        if self.looking:
            raise Refused(Code.BUSY)
        self.looking, self.code_given = True, code is not None
        try:
            yield AllJoiners(self)
        finally:
            self.looking = False

    def wants_to_join(self, name: str) -> OneJoiner:
        """A device asks."""
        joiner = OneJoiner(self, DeviceId(hashlib.sha256(name.encode()).digest()[:16]), name)
        self.joining.append(joiner)
        return joiner

    # people

    def safety_number(self, name: str) -> str:
        return safety_number(self.account, account_of(name))

    def safety_code(self, name: str) -> str:
        return SafetyCode(self.account, account_of(name)).text

    async def check_shown(self, name: str, shown: str) -> None:
        if shown == SafetyCode(account_of(name), self.account).text:
            self._called("check", name)
        elif shown.startswith("COTERIE"):
            raise SecurityStop(Code.MISMATCH)
        else:
            raise Refused(Code.USAGE)

    async def mark_verified(self, name: str) -> None:
        self._called("mark", name)

    async def unverify(self, name: str) -> None:
        self._called("forget", name)

    async def verify(self, name: str) -> None:
        self._called("verify", name)
        known = self.comparisons.get(name)
        asked = ComparisonStep.ASKED if known is None else ComparisonStep.ANSWERED
        self.comparisons[name] = Comparison(asked, ())

    def comparison(self, name: str) -> Comparison | None:
        return self.comparisons.get(name)

    async def emoji_match(self, name: str) -> None:
        self._called("match", name)
        self.comparisons[name] = Comparison(ComparisonStep.SAID_YES, EMOJI)

    async def end_verification(self, name: str, *, mismatch: bool = False) -> None:
        self._called("mismatch" if mismatch else "end", name)
        self.comparisons.pop(name, None)

    async def accept_identity(self, name: str) -> None:
        self._called("accept", name)

    def identity_change(self, name: str) -> IdentityChanged | None:
        return self.identity_changes.get(name)

    def queued_before(self, name: str) -> tuple[Message, ...]:
        return self.queued.get(name, ())

    async def send_queued(self, name: str) -> None:
        self._called("send queued", name)
        self.queued.pop(name)

    async def drop_queued(self, name: str) -> None:
        self._called("drop queued", name)
        self.queued.pop(name)

    def contact_questions(self, name: str) -> tuple[Device, ...]:
        return self.contacts_asked.get(name, ())

    async def confirm_contact_device(self, name: str, device: DeviceId) -> None:
        self._called("confirm", name)
        self.contacts_asked[name] = tuple(each for each in self.contacts_asked[name] if each.id != device)

    # the account

    async def keep_name(self, password: str) -> None:
        self.open_keys(password, None)
        self.reset_at_ms = None

    async def change_password(self, password: str, new: str) -> None:
        self.open_keys(password, None)
        self._called("password", "")
        self.password = new

    async def wrap_with_password(self, password: str, *, wrap: bool) -> None:
        self.open_keys(password, None)
        self.wrapped_with_password = wrap

    def unreadable(self) -> Unreadable:
        return Unreadable(self.unreadable_now, 4, self.told)

    async def tell_server(self, *, wanted: bool) -> None:
        self._called("tell", str(wanted))
        self.told = wanted

    async def new_recovery_key(self, password: str) -> None:
        self.open_keys(password, None)
        self.recovery_key = RECOVERY_KEY

    async def replace_identity(self, password: str, new: str) -> None:
        self.open_keys(password, None)
        self._called("identity", "")
        self.password, self.recovery_key = new, RECOVERY_KEY

    async def recovery_key_shown(self) -> None:
        self.recovery_key = None

    async def sign_out(self, *, password: str = "", recovery_key: str | None = None) -> None:
        self.open_keys(password, recovery_key)
        self._called("sign out", "")

    async def delete_account(self, *, password: str = "", recovery_key: str | None = None) -> None:
        self.open_keys(password, recovery_key)
        self._called("delete", "")

    async def wipe(self) -> None:
        self._called("wipe", "")

    def open_keys(self, password: str, recovery_key: str | None) -> None:
        if recovery_key is None and self.without_secret:
            raise Refused(Code.NEEDS_RECOVERY_KEY)
        if recovery_key not in (None, RECOVERY_KEY) or (recovery_key is None and password != self.password):
            raise Refused(Code.WRONG_CREDENTIALS)

    def _called(self, what: str, name: str) -> None:
        trouble, self.trouble = self.trouble, None
        if trouble is not None:
            raise trouble
        self.calls.append(f"{what} {name}".strip())


def account_of(name: str) -> AccountId:
    """Of anybody in memory."""
    return AccountId(hashlib.sha256(name.encode()).digest())
