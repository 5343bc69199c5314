"""`coterie recovery new`: another recovery key, printed once; the old one opens the account no more."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.errors import LocalError
from coterie.cli import session
from coterie.cli.account_shapes import RecoveryShape
from coterie.cli.arguments import Arguments
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.screens.form_texts import FormText


def run(given: Arguments, output: Output) -> int:
    password = session.password_of(given)
    return session.run(_new(given, output, password))


async def _new(given: Arguments, output: Output, password: str) -> int:
    async with session.opened(given, password) as me:
        await me.new_recovery_key(password)
        if me.recovery_key is None:
            raise LocalError(Code.USAGE, "a new recovery key without words")
        output.show(
            RecoveryShape(account=me.name, recovery_key=me.recovery_key),
            f"{FormText.RECOVERY_TITLE.value}. {FormText.RECOVERY_SUBTITLE.value}\n\n  {me.recovery_key}\n",
        )
        await me.recovery_key_shown()
    return Exit.DONE
