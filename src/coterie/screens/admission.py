"""Looking for devices that want to join the account: what has to be held between one intent and the next.

It lives where the SDK does. One look at a time; a new one ends the one before.
"""

from __future__ import annotations

from contextlib import AsyncExitStack

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.ids import DeviceId
from coterie.client.events import Emoji
from coterie.screens.trust_port import DevicesPort, JoinerPort, JoinersPort


class Admission:
    """Every method raises Refused(not-approved) where nobody looks, or the device is gone."""

    def __init__(self, port: DevicesPort) -> None:
        self._port = port
        self._held = AsyncExitStack()
        self._joiners: JoinersPort | None = None
        self._known: dict[DeviceId, JoinerPort] = {}

    async def look(self, code: str | None) -> None:
        """Raises Refused(usage) for what is no code of a new device, Unavailable without a connection."""
        await self.stop()
        self._joiners = await self._held.enter_async_context(self._port.joiners(code))

    async def next(self) -> JoinerPort:
        """Wait for another device. One that calls itself what another does never takes its place."""
        if self._joiners is None:
            raise Refused(Code.NOT_APPROVED)
        joiner = await self._joiners.next()
        while joiner.device in self._known:
            joiner = await self._joiners.next()
        self._known[joiner.device] = joiner
        return joiner

    async def compare(self, device: DeviceId) -> tuple[Emoji, ...]:
        """Come to the emoji that both show."""
        return await self._of(device).compare()

    async def approve(self, device: DeviceId, *, password: str, recovery_key: str | None) -> None:
        """Let it in."""
        await self._of(device).approve(password=password, recovery_key=recovery_key)

    async def decline(self, device: DeviceId) -> None:
        joiner = self._known.pop(device, None)
        if joiner is not None:
            await joiner.decline()

    async def stop(self) -> None:
        """Nobody looks any more: nothing is heard of any device."""
        self._joiners = None
        self._known.clear()
        await self._held.aclose()

    def _of(self, device: DeviceId) -> JoinerPort:
        joiner = self._known.get(device)
        if joiner is None:
            raise Refused(Code.NOT_APPROVED)
        return joiner
