"""`coterie signup NAME --server INVITE`: a new account, and this machine its first device."""

from __future__ import annotations

import coterie
from coterie.cli import session
from coterie.cli.arguments import Arguments
from coterie.cli.commands.enrol import show_account
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.cli.secret_input import read_password, read_reset_code
from coterie.screens.form_texts import FormText


def run(given: Arguments, output: Output) -> int:
    if given.generate_passphrase:
        password = coterie.new_passphrase()
        output.tell(f"{FormText.PASSPHRASE_SHOWN.value}:\n\n  {password}\n")
    else:
        password = read_password(given, FormText.PASSWORD.value, twice=True)
    return session.run(_sign_up(given, output, password))


def _reset_code(given: Arguments) -> str | None:
    if not given.new_identity:
        return None
    return read_reset_code(given.reset_code_file)


async def _sign_up(given: Arguments, output: Output, password: str) -> int:
    me = await coterie.sign_up(
        server=given.server,
        name=given.name,
        password=password,
        home=session.home_of(given),
        generate_passphrase=given.generate_passphrase,
        wrap_with_password=given.wrap_with_password,
        device_name=given.device_name,
        reset_code=_reset_code(given),
    )
    async with me:
        await show_account(me, output)
    return Exit.DONE
