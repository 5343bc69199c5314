"""`coterie devices`: the devices of this account, as its newest proven manifest lists them.

`coterie devices confirm ID` answers the question about one that came: that was me.
"""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.ids import DeviceId
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
        if given.action == "confirm":
            await me.confirm_device(device_id(given.device_id))
            return Exit.DONE
        await session.live_if_possible(me)
        asked = {device.id for device in me.questions()}
        for device in me.devices():
            output.show(device_shape(device, asked=device.id in asked), _sentence(device, device.id in asked))
    return Exit.DONE


def device_id(text: str) -> DeviceId:
    """Raises Refused(unknown-device) for what no device is called."""
    try:
        return DeviceId(bytes.fromhex(text))
    except ValueError:
        raise Refused(Code.UNKNOWN_DEVICE) from None


def _sentence(device: Device, asked: bool) -> str:
    words = [device.id.hex(), iso(device.created_ms), harmless(device.name) or Text.DEVICE_UNNAMED.value]
    if device.this:
        words.append("(this one)")
    if device.revoked:
        words.append("(removed)")
    if device.approved_by_recovery:
        words.append("(added by passphrase or recovery key)")
    if asked:
        words.append("(was this you? coterie devices confirm)")
    return "  ".join(words)
