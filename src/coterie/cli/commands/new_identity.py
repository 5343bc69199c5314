"""`coterie devices new-identity`: the account goes on under another identity, with another password, which is
asked for, and another recovery key, which is printed. Also a part of removing a device that was lost."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.errors import LocalError
from coterie.cli.account_shapes import IdentityShape
from coterie.cli.arguments import Arguments
from coterie.cli.output import Output
from coterie.cli.questions import confirmed
from coterie.cli.secret_input import read_new_password
from coterie.client.api.me import Me
from coterie.e2ee.recovery import new_passphrase
from coterie.screens.form_texts import FormText
from coterie.screens.i18n import Text

ASK = (
    "That device could have opened your account's keys. Make another identity now? Everybody who writes to"
    " you has to accept it, or to verify you anew"
)


def is_wanted(given: Arguments) -> bool:
    """Whether the person wants it after a loss: as they said on the command line, or say now."""
    return given.new_identity or bool(confirmed(ASK))


async def replace(me: Me, given: Arguments, password: str, words: str | None, output: Output) -> None:
    """The new recovery key is printed once, and forgotten here."""
    if given.generate_passphrase:
        new = new_passphrase()
        output.tell(f"{FormText.PASSPHRASE_SHOWN.value}:\n\n  {new}\n")
    else:
        new = read_new_password(given.new_password_file)
    await me.replace_identity(password, new, recovery_key=words)
    if me.recovery_key is None:
        raise LocalError(Code.USAGE, "a new identity without a recovery key")
    shape = IdentityShape(
        account=me.name,
        account_id=me.account.hex(),
        recovery_key=me.recovery_key,
        passphrase=new if given.generate_passphrase else None,
    )
    shown = f"{FormText.RECOVERY_TITLE.value}. {FormText.RECOVERY_SUBTITLE.value}\n\n  {me.recovery_key}\n"
    output.show(shape, f"{Text.IDENTITY_REPLACED.value}\n\n{shown}")
    await me.recovery_key_shown()
