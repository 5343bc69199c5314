"""`coterie login NAME --server INVITE --approve`: join an account because one of its devices agrees."""

from __future__ import annotations

import sys

import coterie
from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.cli import session
from coterie.cli.approval_shapes import ApprovalShape
from coterie.cli.arguments import Arguments
from coterie.cli.commands.enrol import show_account
from coterie.cli.comparing import Answers
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.cli.secret_input import read_password
from coterie.screens.approval_texts import ApprovalText
from coterie.screens.form_texts import FormText


def run(given: Arguments, output: Output) -> int:
    password = read_password(given, FormText.PASSWORD.value, twice=True)
    return session.run(_join(given, output, password))


async def _join(given: Arguments, output: Output, password: str) -> int:
    asking = await coterie.ask_approval(
        server=given.server,
        name=given.name,
        password=password,
        home=session.home_of(given),
        device_name=given.device_name,
    )
    async with asking, Answers(output) as answers:
        _show_code(asking.code, output)
        emoji = await asking.answered()
        if not emoji:
            output.show(ApprovalShape(event="approval", state="code-given"), ApprovalText.BY_CODE.value)
        elif not await answers.same(emoji):
            output.tell(ApprovalText.DIFFERENT.value)
            raise Refused(Code.NOT_APPROVED)
        else:
            output.tell(ApprovalText.OTHER_SIDE.value)
        me = await asking.join()
    async with me:
        await show_account(me, output)
    return Exit.DONE


def _show_code(code: str, output: Output) -> None:
    lines = (
        ApprovalText.ASKED.value,
        "  " + ApprovalText.WITH_CODE.value.format(code=code),
        f"  {ApprovalText.WITH_EMOJI.value}      ({ApprovalText.WITH_EMOJI_ABOUT.value})",
    )
    output.show(ApprovalShape(event="approval", state="asked", code=code), "\n".join(lines))
    if sys.stdout.isatty() and not output.as_json:
        import segno

        segno.make(code, micro=False).terminal(out=sys.stdout, compact=True)
        sys.stdout.flush()
