"""What signup and login print of the device they made."""

from __future__ import annotations

from coterie.cli.chat_shapes import AccountShape
from coterie.cli.output import Output
from coterie.client.api.me import Me
from coterie.screens.form_texts import FormText


async def show_account(me: Me, output: Output) -> None:
    """Print who this is now, and what is shown only once; once it is printed this machine forgets it."""
    output.show(
        AccountShape(
            account=me.name,
            account_id=me.account.hex(),
            device_id=me.device.hex(),
            recovery_key=me.recovery_key,
            passphrase=me.passphrase,
        ),
        f"{me.name} on {me.server}",
    )
    if me.recovery_key is not None:
        output.tell(f"{FormText.RECOVERY_TITLE.value}. {FormText.RECOVERY_SUBTITLE.value}")
        output.tell(f"\n  {me.recovery_key}\n")
        await me.recovery_key_shown()
