"""`coterie devices`: the devices of this account, as its newest proven manifest lists them.

With an action one of them is renamed or removed, or the question about one that came is answered. The
password that opens this home signs the change, too. `coterie devices approve` (approve.py) lets a new one in.
"""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.ids import DeviceId
from coterie.cli import session
from coterie.cli.arguments import Arguments
from coterie.cli.chat_shapes import device_shape
from coterie.cli.commands import approve, new_identity
from coterie.cli.failures import Exit
from coterie.cli.output import Output, harmless
from coterie.cli.parser import UsageError
from coterie.cli.secret_input import read_recovery_key
from coterie.cli.shapes import iso
from coterie.client.api.me import Me
from coterie.client.events import Device
from coterie.screens.i18n import Text


def run(given: Arguments, output: Output) -> int:
    if given.action == "approve":
        return approve.run(given, output)
    return session.run(_devices(given, output))


async def _devices(given: Arguments, output: Output) -> int:
    words = None if given.recovery_key_file is None else read_recovery_key(given.recovery_key_file)
    password = session.password_of(given)
    async with session.opened(given, password) as me:
        if given.action:
            await _act(me, given, password, words, output)
            return Exit.DONE
        await session.live_if_possible(me)
        asked = {device.id for device in me.questions()}
        for device in me.devices():
            output.show(device_shape(device, asked=device.id in asked), _sentence(device, device.id in asked))
        if me.renewal_due:
            output.tell(Text.RENEWAL_DUE.value)
    return Exit.DONE


async def _act(me: Me, given: Arguments, password: str, words: str | None, output: Output) -> None:
    if given.action != "confirm":
        await me.wait_live(session.PATIENCE_SECONDS)
    if given.action == "new-identity":
        await new_identity.replace(me, given, password, words, output)
        return
    device = _meant(me, given.device_id)
    match given.action:
        case "confirm":
            await me.confirm_device(device)
            return
        case "rename":
            await me.rename_device(device, given.new_name, password=password, recovery_key=words)
        case "unmark":
            await me.unmark_device(device, password=password, recovery_key=words)
        case "deny":
            await me.deny_device(device, password=password, recovery_key=words)
        case _ if given.lost:
            await me.lose_device(device, password=password, recovery_key=words)
        case _:
            await me.revoke_device(device, password=password, recovery_key=words)
    changed = next(each for each in me.devices() if each.id == device)
    lost = given.action == "deny" or given.lost
    if lost and new_identity.is_wanted(given):
        output.show(device_shape(changed), "")
        await new_identity.replace(me, given, password, words, output)
        return
    due = me.renewal_due and given.action not in ("rename", "unmark")
    hints = (Text.RENEWAL_DUE.value,) * due + (Text.IDENTITY_DUE.value,) * lost
    output.show(device_shape(changed, renewal_due=due), ". ".join(hints))


def _meant(me: Me, beginning: str) -> DeviceId:
    """The one device whose id begins so. Raises Refused(unknown-device), UsageError for several."""
    found = [each.id for each in me.devices() if beginning and each.id.hex().startswith(beginning.lower())]
    if not found:
        raise Refused(Code.UNKNOWN_DEVICE)
    if len(found) > 1:
        raise UsageError("", f"{len(found)} devices begin like this: give more of the id")
    return found[0]


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
    if device.marked:
        words.append("(marked: coterie devices unmark)")
    if asked:
        words.append("(was this you? coterie devices confirm or deny)")
    return "  ".join(words)
