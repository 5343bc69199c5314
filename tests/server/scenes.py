"""Where many tests begin."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.wire.frames import Accepted, LoginProve, LoginStart, Refusal, Salt, VaultOpened
from tests.server.house import House, Wire
from tests.server.people import Person


def code(answer: object) -> Code | None:
    return Code(answer.code) if isinstance(answer, Refusal) else None


async def registered(house: House, *people: Person) -> None:
    for person in people:
        wire = house.wire()
        await wire.greet()
        assert isinstance(await wire.ask(person.sign_up()), Accepted)
        wire.hang_up()


async def logged_in(house: House, person: Person) -> Wire:
    wire = house.wire()
    await wire.greet()
    assert isinstance(await wire.ask(LoginStart(1, person.name)), Salt)
    assert isinstance(await wire.ask(LoginProve(2, person.name, person.auth_key)), VaultOpened)
    return wire


async def two(house: House, alice: Person, bob: Person) -> tuple[Wire, Wire]:
    """Both signed up and connected, and bob has alice's session key."""
    await registered(house, alice, bob)
    alices, bobs = house.wire(), house.wire()
    await alices.sign_in(alice.device)
    await bobs.sign_in(bob.device)
    share = alice.device.share(alice.direct_with(bob), bob.account, bob.device, request=2)
    assert isinstance(await alices.ask(share), Accepted)
    assert len(await bobs.mail(1)) == 1
    return alices, bobs
