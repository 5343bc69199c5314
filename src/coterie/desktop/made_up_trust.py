"""What the gallery's account has to show about trust: numbers, codes, emoji, devices that want to join."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from coterie.base.ids import AccountId, DeviceId
from coterie.client.emoji import emoji_of
from coterie.client.events import Comparison, ComparisonStep, Device, Emoji, IdentityChanged, Message
from coterie.client.shapes import Unreadable
from coterie.e2ee.fingerprint import SafetyCode, safety_number

DEVICE: Final = DeviceId(b"made-up device.."[:16])
DEVICE_AT_WORK: Final = DeviceId(b"made-up device 3")
RECOVERY_KEY: Final = (
    "velvet harbor nine orbit candle frost maple engine quiet lemon bridge salad "
    "window copper garden pilot river seven travel uncle winter yellow zebra amused"
)
_EMOJI: Final = emoji_of((1, 5, 17, 22, 30, 41, 63))
_DEVICES: Final = (
    Device(DEVICE, "laptop \U0001f4bb", True, 1_790_000_000_000, False, False),
    Device(DeviceId(b"made-up device 2"), "old laptop", False, 1_780_000_000_000, True, False),
    Device(DEVICE_AT_WORK, "desk at work", False, 1_795_000_000_000, False, True),
)
_OF_A_FRIEND: Final = Device(DeviceId(b"made-up device 4"), "tablet", False, 1_795_400_000_000, False, True)


class MadeUpJoiner:
    """A device that wants to join."""

    device = DeviceId(b"made-up device 5")
    name = "phone"

    async def compare(self) -> tuple[Emoji, ...]:
        return _EMOJI

    async def approve(self, *, password: str = "", recovery_key: str | None = None) -> None:
        del password, recovery_key

    async def decline(self) -> None:
        return


class MadeUpJoiners:
    """One, and then nobody."""

    def __init__(self) -> None:
        self._waiting = [MadeUpJoiner()]

    async def next(self) -> MadeUpJoiner:
        if not self._waiting:
            await asyncio.Event().wait()
        return self._waiting.pop()


class MadeUpTrust:
    """The part of a ChatPort that the pages about trust use; what would change something does nothing."""

    server = "chat.example.org:4433"
    wrapped_with_password = False
    is_last_device = False
    reset_at_ms: int | None = None

    def __init__(self, account: AccountId, others: dict[str, AccountId]) -> None:
        self.account = account
        self.recovery_key: str | None = None
        self._told = False
        self.comparing = ""
        """With whom emoji are compared."""
        self._others = others

    def questions(self) -> tuple[Device, ...]:
        return ()

    @property
    def renewal_due(self) -> bool:
        return False

    def devices(self) -> tuple[Device, ...]:
        return _DEVICES

    async def rename_device(
        self, device: DeviceId, name: str, *, password: str = "", recovery_key: str | None = None
    ) -> None:
        del device, name, password, recovery_key

    async def revoke_device(
        self, device: DeviceId, *, password: str = "", recovery_key: str | None = None
    ) -> None:
        del device, password, recovery_key

    async def lose_device(
        self, device: DeviceId, *, password: str = "", recovery_key: str | None = None
    ) -> None:
        del device, password, recovery_key

    async def deny_device(
        self, device: DeviceId, *, password: str = "", recovery_key: str | None = None
    ) -> None:
        del device, password, recovery_key

    async def unmark_device(
        self, device: DeviceId, *, password: str = "", recovery_key: str | None = None
    ) -> None:
        del device, password, recovery_key

    async def confirm_device(self, device: DeviceId) -> None:
        del device

    @asynccontextmanager
    async def joiners(self, code: str | None = None) -> AsyncIterator[MadeUpJoiners]:
        del code
        yield MadeUpJoiners()

    def safety_number(self, name: str) -> str:
        return safety_number(self.account, self._others[name])

    def safety_code(self, name: str) -> str:
        return SafetyCode(self.account, self._others[name]).text

    async def check_shown(self, name: str, shown: str) -> None:
        del name, shown

    async def mark_verified(self, name: str) -> None:
        del name

    async def unverify(self, name: str) -> None:
        del name

    async def verify(self, name: str) -> None:
        self.comparing = name

    def comparison(self, name: str) -> Comparison | None:
        return Comparison(ComparisonStep.COMPARING, _EMOJI) if name == self.comparing else None

    async def emoji_match(self, name: str) -> None:
        del name

    async def end_verification(self, name: str, *, mismatch: bool = False) -> None:
        del name, mismatch

    async def accept_identity(self, name: str) -> None:
        del name

    def identity_change(self, name: str) -> IdentityChanged | None:
        del name
        return None

    def queued_before(self, name: str) -> tuple[Message, ...]:
        del name
        return ()

    async def send_queued(self, name: str) -> None:
        del name

    async def drop_queued(self, name: str) -> None:
        del name

    def contact_questions(self, name: str) -> tuple[Device, ...]:
        return (_OF_A_FRIEND,) if name == "alice" else ()

    async def confirm_contact_device(self, name: str, device: DeviceId) -> None:
        del name, device

    async def keep_name(self, password: str) -> None:
        del password

    async def change_password(self, password: str, new: str) -> None:
        del password, new

    async def wrap_with_password(self, password: str, *, wrap: bool) -> None:
        del password, wrap

    async def new_recovery_key(self, password: str) -> None:
        del password
        self.recovery_key = RECOVERY_KEY

    async def replace_identity(self, password: str, new: str) -> None:
        del password, new
        self.recovery_key = RECOVERY_KEY

    def unreadable(self) -> Unreadable:
        return Unreadable(0, 2, self._told)

    async def tell_server(self, *, wanted: bool) -> None:
        self._told = wanted

    async def recovery_key_shown(self) -> None:
        self.recovery_key = None

    async def sign_out(self, *, password: str = "", recovery_key: str | None = None) -> None:
        del password, recovery_key

    async def delete_account(self, *, password: str = "", recovery_key: str | None = None) -> None:
        del password, recovery_key

    async def wipe(self) -> None:
        return
