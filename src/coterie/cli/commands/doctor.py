"""`coterie doctor`: how this profile is, and what waits to be mended by itself."""

from __future__ import annotations

from coterie.base.version import VERSION
from coterie.cli import session
from coterie.cli.arguments import Arguments
from coterie.cli.doctor_shapes import health_shape
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.client.api.health import Health


def run(given: Arguments, output: Output) -> int:
    return session.run(_doctor(given, output))


async def _doctor(given: Arguments, output: Output) -> int:
    async with session.opened(given) as me:
        await session.live_if_possible(me)
        if given.tell_server is not None:
            await me.tell_server(wanted=given.tell_server == "on")
        health = me.health()
        output.show(health_shape(health), "\n".join(_lines(health)))
    return Exit.DONE


def _lines(health: Health) -> list[str]:
    waiting = sum(health.unopened.values())
    reasons = ", ".join(f"{reason} {count}" for reason, count in health.unopened.items())
    return [
        f"coterie {VERSION}, {health.name}, device {health.device.hex()}",
        f"connection: {health.link.value}",
        f"store: {'sound' if health.store_sound else 'damaged'}",
        f"messages that cannot be read now: {health.undecryptable_now}, ever: {health.undecryptable_ever}",
        f"the server is {'told' if health.told else 'not told'} of these numbers",
        f"waiting unopened: {waiting}" + (f" ({reasons})" if reasons else ""),
        f"not sent yet: {health.queued}",
        "all is well" if health.is_well else "other devices are asked for what is missing, by itself",
    ]
