"""`coterie devices approve`: let a new device join this account, by its code or by seven emoji.

The other side is `coterie login NAME --server ... --approve`.
"""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.errors import Refused, SealBroken
from coterie.cli import session
from coterie.cli.approval_shapes import ApprovalShape
from coterie.cli.arguments import Arguments
from coterie.cli.chat_shapes import device_shape
from coterie.cli.comparing import Answers
from coterie.cli.failures import Exit
from coterie.cli.output import Output, harmless
from coterie.cli.secret_input import read_recovery_key
from coterie.cli.standard_input import read_text
from coterie.client.api.admitting import Joiner
from coterie.client.api.me import Me
from coterie.screens.approval_texts import ApprovalText

STDIN = "-"
CODE_SECONDS = 30.0
"""A device whose code is given asks already."""


def run(given: Arguments, output: Output) -> int:
    return session.run(_approve(given, output))


async def _approve(given: Arguments, output: Output) -> int:
    """The password that opens this home signs the new device in, too."""
    words = None if given.recovery_key_file is None else read_recovery_key(given.recovery_key_file)
    password = session.password_of(given)
    code = read_text() if given.code == STDIN else given.code
    async with session.opened(given, password) as me:
        joiner = await (
            _by_emoji(me, password, words, output)
            if code is None
            else _by_code(me, code, password, words, output)
        )
        name = harmless(joiner.name) or ApprovalText.UNNAMED.value
        device = next(each for each in me.devices() if each.id == joiner.device)
        output.show(device_shape(device), ApprovalText.APPROVED.value.format(device=name))
    return Exit.DONE


async def _by_code(me: Me, code: str, password: str, words: str | None, output: Output) -> Joiner:
    async with me.joiners(code) as joiners:
        joiner = await joiners.next(CODE_SECONDS)
        _show(joiner, output)
        await joiner.approve(password=password, recovery_key=words)
        return joiner


async def _by_emoji(me: Me, password: str, words: str | None, output: Output) -> Joiner:
    """One after another, until one is the person's. A stranger's, or one that does not keep to what it
    committed to, is passed over."""
    async with me.joiners() as joiners, Answers(output) as answers:
        output.tell(ApprovalText.LOOKING.value.format(name=me.name))
        while True:
            joiner = await joiners.next()
            _show(joiner, output)
            output.tell(ApprovalText.WARNING.value)
            try:
                emoji = await joiner.compare()
            except SealBroken:
                continue
            except Refused as refused:
                if refused.code is not Code.NOT_APPROVED:
                    raise
                continue
            if await answers.same(emoji):
                output.tell(ApprovalText.OTHER_SIDE.value)
                await joiner.approve(password=password, recovery_key=words)
                return joiner
            await joiner.decline()
            output.tell(ApprovalText.DIFFERENT.value)


def _show(joiner: Joiner, output: Output) -> None:
    name = harmless(joiner.name) or ApprovalText.UNNAMED.value
    shape = ApprovalShape(
        event="approval", state="wants", device=joiner.device.hex(), device_name=joiner.name
    )
    output.show(shape, ApprovalText.JOINER.value.format(device=name))
