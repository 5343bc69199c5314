"""What the pages about trust use of the SDK; part of the ChatPort (port.py)."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from coterie.base.ids import DeviceId
from coterie.client.events import Comparison, Device, Emoji, IdentityChanged, Message
from coterie.client.shapes import Unreadable


class JoinerPort(Protocol):
    """A device that wants to join the account (SDK: Joiner)."""

    @property
    def device(self) -> DeviceId: ...

    @property
    def name(self) -> str:
        """What it calls itself."""
        ...

    async def compare(self) -> tuple[Emoji, ...]: ...

    async def approve(self, *, password: str = "", recovery_key: str | None = None) -> None: ...

    async def decline(self) -> None: ...


class JoinersPort(Protocol):
    """Those that want to join, while somebody looks."""

    async def next(self) -> JoinerPort: ...


class DevicesPort(Protocol):
    """The account's own devices, and those that want to be."""

    def questions(self) -> tuple[Device, ...]:
        """Devices that came to this account and that nobody has confirmed."""
        ...

    @property
    def renewal_due(self) -> bool:
        """Whether a device was lost, and password and recovery key have not been changed since."""
        ...

    def devices(self) -> tuple[Device, ...]: ...

    async def rename_device(
        self, device: DeviceId, name: str, *, password: str = "", recovery_key: str | None = None
    ) -> None: ...

    async def revoke_device(
        self, device: DeviceId, *, password: str = "", recovery_key: str | None = None
    ) -> None: ...

    async def lose_device(
        self, device: DeviceId, *, password: str = "", recovery_key: str | None = None
    ) -> None: ...

    async def deny_device(
        self, device: DeviceId, *, password: str = "", recovery_key: str | None = None
    ) -> None: ...

    async def unmark_device(
        self, device: DeviceId, *, password: str = "", recovery_key: str | None = None
    ) -> None: ...

    async def confirm_device(self, device: DeviceId) -> None: ...

    def joiners(self, code: str | None = None) -> AbstractAsyncContextManager[JoinersPort]:
        """Look for devices that want to join; code: for the one that shows it."""
        ...


class PersonPort(Protocol):
    """Knowing somebody for certain. Names are those of people; Refused(unknown-person) for nobody."""

    def safety_number(self, name: str) -> str: ...

    def safety_code(self, name: str) -> str: ...

    async def check_shown(self, name: str, shown: str) -> None:
        """SecurityStop(mismatch) where it is another one, Refused(usage) where it is none."""
        ...

    async def mark_verified(self, name: str) -> None: ...

    async def unverify(self, name: str) -> None: ...

    async def verify(self, name: str) -> None: ...

    def comparison(self, name: str) -> Comparison | None: ...

    async def emoji_match(self, name: str) -> None: ...

    async def end_verification(self, name: str, *, mismatch: bool = False) -> None: ...

    async def accept_identity(self, name: str) -> None: ...

    def identity_change(self, name: str) -> IdentityChanged | None:
        """None where nothing about it waits for a word."""
        ...

    def queued_before(self, name: str) -> tuple[Message, ...]: ...

    async def send_queued(self, name: str) -> None: ...

    async def drop_queued(self, name: str) -> None: ...

    def contact_questions(self, name: str) -> tuple[Device, ...]: ...

    async def confirm_contact_device(self, name: str, device: DeviceId) -> None: ...


class AccountPort(Protocol):
    """What opens the account, and its end."""

    recovery_key: str | None
    """24 words, as long as recovery_key_shown() was not called since they were made."""

    @property
    def server(self) -> str:
        """HOST:PORT."""
        ...

    @property
    def wrapped_with_password(self) -> bool:
        """Whether the password alone is enough on a new machine."""
        ...

    @property
    def is_last_device(self) -> bool: ...

    @property
    def reset_at_ms(self) -> int | None:
        """When the account's name begins anew with another identity, unless keep_name() is called."""
        ...

    async def keep_name(self, password: str) -> None: ...

    async def change_password(self, password: str, new: str) -> None: ...

    async def wrap_with_password(self, password: str, *, wrap: bool) -> None: ...

    async def new_recovery_key(self, password: str) -> None: ...

    async def replace_identity(self, password: str, new: str) -> None:
        """Another identity for the account, with another password; a new recovery key stands in
        recovery_key."""
        ...

    def unreadable(self) -> Unreadable:
        """How many messages cannot be read on this device, and whether the server is told."""
        ...

    async def tell_server(self, *, wanted: bool) -> None:
        """Whether it is to be told from now on."""
        ...

    async def recovery_key_shown(self) -> None: ...

    async def sign_out(self, *, password: str = "", recovery_key: str | None = None) -> None: ...

    async def delete_account(self, *, password: str = "", recovery_key: str | None = None) -> None: ...

    async def wipe(self) -> None:
        """Close it, and remove it from this machine."""
        ...
