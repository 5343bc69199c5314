"""Letting somebody who has lost everything begin their name anew: the operator says who (decision 0027)."""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.ids import UserName
from coterie.base.reset_code import TOKEN_BYTES, ResetCode
from coterie.server.founding import SECRETS
from coterie.server.realm import ServerSecrets
from coterie.server.store.operating import beside

_TOKEN = (
    "INSERT INTO reset_tokens VALUES (?, ?, ?) ON CONFLICT (account_no)"
    " DO UPDATE SET mac = excluded.mac, expires_ms = excluded.expires_ms"
)
_secrets = msgspec.msgpack.Decoder(ServerSecrets)


async def make_reset_code(file: Path, name: UserName, now_ms: int, url: str = "") -> ResetCode:
    """Write down that this name may begin anew once, and give the code for it; an earlier one is void. url:
    as of beside().

    Raises Refused(unknown-person), and Unavailable(disk) where there is no such database.
    """
    async with beside(file, url) as statements:
        row = await statements.one("SELECT no, seq, hash FROM accounts WHERE name = ?", (name,))
        fact = await statements.one("SELECT value FROM facts WHERE name = ?", (SECRETS,))
        if row is None or fact is None:
            raise Refused(Code.UNKNOWN_PERSON)
        token = secrets.token_bytes(TOKEN_BYTES)
        mac = hmac.digest(_secrets.decode(fact[0]).token, token, "sha256")
        await statements.run(_TOKEN, (row[0], mac, now_ms + limits.RESET_CODE_MS))
        return ResetCode(token, row[1], row[2])
