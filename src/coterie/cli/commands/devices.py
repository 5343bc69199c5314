"""`coterie devices`: the devices of this account, as its newest proven manifest lists them."""

from __future__ import annotations

from coterie.cli import session
from coterie.cli.arguments import Arguments
from coterie.cli.chat_shapes import device_shape
from coterie.cli.failures import Exit
from coterie.cli.output import Output, harmless
from coterie.cli.shapes import iso
from coterie.client.events import Device
from coterie.screens.i18n import Text


def run(given: Arguments, output: Output) -> int:
    return session.run(_devices(given, output))


async def _devices(given: Arguments, output: Output) -> int:
    async with session.opened(given) as me:
        await session.live_if_possible(me)
        for device in me.devices():
            output.show(device_shape(device), _sentence(device))
    return Exit.DONE


def _sentence(device: Device) -> str:
    words = [device.id.hex(), iso(device.created_ms), harmless(device.name) or Text.DEVICE_UNNAMED.value]
    if device.this:
        words.append("(this one)")
    if device.revoked:
        words.append("(removed)")
    if device.approved_by_recovery:
        words.append("(added by passphrase or recovery key)")
    return "  ".join(words)
