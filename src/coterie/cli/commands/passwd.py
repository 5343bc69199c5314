"""`coterie passwd`: another password, and whether it alone is enough on a new machine."""

from __future__ import annotations

import coterie
from coterie.cli import session
from coterie.cli.account_arguments import ON
from coterie.cli.account_shapes import PasswordShape
from coterie.cli.arguments import Arguments
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.cli.secret_input import read_new_password
from coterie.screens.form_texts import FormText

GUESSED = "Whoever holds the server can try to guess a password that is enough on its own."
ELSEWHERE = {
    True: "On a new machine this password alone is enough.",
    False: "On a new machine this password needs the recovery key, or another device.",
}
OTHERS = "Your other devices keep the password that opens them."


def run(given: Arguments, output: Output) -> int:
    password = session.password_of(given)
    new: str | None = None
    if given.generate_passphrase:
        new = coterie.new_passphrase()
        output.tell(f"{FormText.PASSPHRASE_SHOWN.value}:\n\n  {new}\n")
    elif given.wrap is None or given.new_password_file is not None:
        new = read_new_password(given.new_password_file)
    return session.run(_change(given, output, password, new))


async def _change(given: Arguments, output: Output, password: str, new: str | None) -> int:
    wrap = None if given.wrap is None else given.wrap == ON
    if wrap:
        output.tell(GUESSED)
    async with session.opened(given, password) as me:
        if new is None:
            await me.wrap_with_password(password, wrap=bool(wrap))
        else:
            await me.change_password(password, new, wrap=wrap)
        wrapped = me.wrapped_with_password
        shape = PasswordShape(
            account=me.name, wrapped=wrapped, passphrase=new if given.generate_passphrase else None
        )
        others = f" {OTHERS}" if new is not None and not me.is_last_device else ""
        output.show(shape, ELSEWHERE[wrapped] + others)
    return Exit.DONE
