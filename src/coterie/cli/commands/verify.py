"""`coterie verify @NAME`: compare emoji, numbers or codes with somebody."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.cli import session
from coterie.cli.arguments import Arguments
from coterie.cli.chat_shapes import NumberShape, contact_device_shape, message_shape, verify_shape
from coterie.cli.commands.devices import device_id
from coterie.cli.commands.message_lines import message_line
from coterie.cli.comparing import emoji_lines
from coterie.cli.failures import Exit, refuse
from coterie.cli.output import Output
from coterie.cli.parser import UsageError
from coterie.cli.questions import word_of
from coterie.cli.shapes import iso
from coterie.cli.standard_input import read_lines
from coterie.client.api.me import Me
from coterie.client.events import EmojiToCompare, EndReason, Person, VerificationEnded, Verified
from coterie.screens.i18n import Text, say
from coterie.screens.moments import Calendar
from coterie.screens.verifying import verifying_line

STDIN: Final = "-"
MOST_BYTES: Final = 64 * 1024
_EXITS: Final[dict[EndReason, Exit]] = {
    EndReason.MISMATCH: Exit.SECURITY_STOP,
    EndReason.TIMED_OUT: Exit.UNAVAILABLE,
}


def run(given: Arguments, output: Output) -> int:
    return session.run(_verify(given, output))


async def _verify(given: Arguments, output: Output) -> int:
    shown = _shown(given)
    async with session.opened(given) as me:
        live = await session.live_if_possible(me)
        person = _person(me, given.target)
        if given.safety_number:
            _show_number(me, person, output)
        elif shown is not None:
            await me.check_shown(person.name, shown)
            _show_verified(me, person, output)
        elif given.numbers_match:
            await me.mark_verified(person.name)
            _show_verified(me, person, output)
        elif given.forget:
            await me.unverify(person.name)
            _show_verified(me, person, output)
        elif given.accept_new or given.send_queued or given.drop_queued:
            await _go_on(me, person, given, output)
        elif given.confirm_device is not None:
            await _confirm(me, person, given.confirm_device, output)
        else:
            if not live:
                await me.wait_live(0)
            return await _compare(me, person, output)
    return Exit.DONE


def _shown(given: Arguments) -> str | None:
    """What the other person's screen shows, where it was given. Raises UsageError."""
    if given.qr_file is None:
        return given.qr_text
    try:
        if given.qr_file == STDIN:
            data = sys.stdin.buffer.read(MOST_BYTES)
        else:
            with Path(given.qr_file).open("rb") as file:
                data = file.read(MOST_BYTES)
    except OSError as error:
        raise UsageError("", f"--qr-file: {error.strerror}") from None
    return data.decode("utf-8", "replace")


def _person(me: Me, target: str) -> Person:
    """Raises what resolve() raises."""
    me.resolve("@" + target.removeprefix("@"))
    person = me.person(target.removeprefix("@"))
    if person is None:
        raise Refused(Code.UNKNOWN_PERSON)
    return person


def _show_number(me: Me, person: Person, output: Output) -> None:
    """The number in three lines; on a terminal also the code as a picture."""
    number, code = me.safety_number(person.name), me.safety_code(person.name)
    shape = NumberShape(
        name=person.name,
        account_id=person.account.hex(),
        verified=person.verified,
        safety_number=number,
        code=code,
    )
    groups = number.split()
    lines = ["  " + " ".join(groups[start : start + 4]) for start in range(0, len(groups), 4)]
    about = say(Text.SAFETY_NUMBER_ABOUT, name=person.name)
    output.show(shape, "\n".join([about, *lines, code]))
    if sys.stdout.isatty() and not output.as_json:
        import segno

        segno.make(code, micro=False).terminal(out=sys.stdout, compact=True)
        sys.stdout.flush()


def _show_verified(me: Me, person: Person, output: Output) -> None:
    known = me.person(person.name) or person
    event = Verified(known)
    output.show(verify_shape(event), verifying_line(event))


async def _go_on(me: Me, person: Person, given: Arguments, output: Output) -> None:
    """With another identity than before. What waits for that one is shown: it goes nowhere by itself."""
    if given.accept_new:
        await me.accept_identity(person.name)
    elif given.send_queued:
        await me.send_queued(person.name)
        with suppress(Unavailable):
            await me.wait_told(person.name)
    else:
        await me.drop_queued(person.name)
    calendar = Calendar()
    for message in me.queued_before(person.name):
        output.show(message_shape(message, "queued"), message_line(message, calendar))


async def _confirm(me: Me, person: Person, id: str, output: Output) -> None:
    """One device, and what it is owed is on the server before this ends; without an id: which there are."""
    if id:
        await me.confirm_contact_device(person.name, device_id(id))
        with suppress(Unavailable):
            await me.wait_told(person.name)
    for device in me.contact_questions(person.name):
        line = f"{device.id.hex()}  {iso(device.created_ms)}  {device.name or say(Text.DEVICE_UNNAMED)}"
        output.show(contact_device_shape(person.name, device), line)


async def _compare(me: Me, person: Person, output: Output) -> int:
    """Emoji, until it has ended one way or the other. What waited comes first: they may have asked."""
    await me.wait_drained()
    await me.verify(person.name)
    output.tell(say(Text.VERIFY_WAITING, name=person.name))
    async with asyncio.TaskGroup() as tasks:
        answers: list[asyncio.Task[None]] = []
        code = await _until_ended(
            me, person, output, lambda: answers.append(tasks.create_task(_answer(me, person, output)))
        )
        for answer in answers:
            answer.cancel()
    with suppress(Unavailable):
        await me.wait_told(person.name)
    return code


async def _until_ended(me: Me, person: Person, output: Output, ask: Callable[[], None]) -> int:
    """ask: have the person look, while what happens is told."""
    async for event in me.events():
        match event:
            case EmojiToCompare(about) if about.account == person.account:
                _show_emoji(event, output)
                ask()
            case Verified(about) if about.account == person.account and about.verified:
                output.show(verify_shape(event), verifying_line(event))
                return Exit.DONE
            case VerificationEnded(about, reason) if about.account == person.account:
                refuse(reason.value, verifying_line(event), output)
                return _EXITS.get(reason, Exit.REFUSED)
            case _:
                pass
    raise Unavailable(Code.NO_PROFILE, "the profile was closed")


def _show_emoji(event: EmojiToCompare, output: Output) -> None:
    output.show(verify_shape(event), emoji_lines(event.emoji))
    output.tell(say(Text.VERIFY_QUESTION, name=event.person.name))


async def _answer(me: Me, person: Person, output: Output) -> None:
    """The first line of standard input that is a yes or a no; its end is neither."""
    async for lines in read_lines():
        for line in lines:
            said = word_of(line)
            if said:
                await me.emoji_match(person.name)
                output.tell(say(Text.VERIFY_THEIR_WORD, name=person.name))
                return
            if said is not None:
                await me.end_verification(person.name, mismatch=True)
                return
            output.tell(say(Text.VERIFY_YES_OR_NO))
    await me.end_verification(person.name)
