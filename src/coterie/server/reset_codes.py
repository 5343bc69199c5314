"""Letting somebody who has lost everything begin their name anew: the operator says who (decision 0027)."""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path

import apsw
import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.ids import UserName
from coterie.base.reset_code import TOKEN_BYTES, ResetCode
from coterie.server.founding import SECRETS
from coterie.server.realm import ServerSecrets
from coterie.server.store.database import Database, database_fault

_secrets = msgspec.msgpack.Decoder(ServerSecrets)


def make_reset_code(path: Path, name: UserName, now_ms: int) -> ResetCode:
    """Write down that this name may begin anew once, and give the code for it; an earlier one is void.

    Raises Refused(unknown-person), and Unavailable(disk) where there is no such database.
    """
    if not path.exists():
        raise Unavailable(Code.DISK, "there is no server in this folder")
    database = Database(path)
    try:
        row = database.one("SELECT no, seq, hash FROM accounts WHERE name = ?", (name,))
        fact = database.one("SELECT value FROM facts WHERE name = ?", (SECRETS,))
        if row is None or fact is None:
            raise Refused(Code.UNKNOWN_PERSON)
        token = secrets.token_bytes(TOKEN_BYTES)
        mac = hmac.digest(_secrets.decode(fact[0]).token, token, "sha256")
        expires_ms = now_ms + limits.RESET_CODE_MS
        database.run("INSERT OR REPLACE INTO reset_tokens VALUES (?, ?, ?)", (row[0], mac, expires_ms))
        return ResetCode(token, row[1], row[2])
    except apsw.Error as error:
        raise database_fault(error) from error
    finally:
        database.close()
