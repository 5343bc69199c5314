"""A server with identities and statements, for tests that ask whether it is believed."""

from __future__ import annotations

import msgspec

from coterie.base import limits
from coterie.base.ids import NO_HASH
from coterie.base.signing import IdentityKeys, LedgerKeys, account_id
from coterie.ledger.statements import IdentityStatement, ServerStatement, ledger_id, sign_statement
from tests.ledger.accounts import NOW_MS

TLS_KEY = b"t" * 32
NONCE = b"n" * 16


class Server:
    """A server with a founding identity and, after changes, a current one."""

    def __init__(self, founding: IdentityKeys, ledger_keys: LedgerKeys) -> None:
        self.founding = self.current = founding
        self.id = account_id(founding.public)
        self.chain: tuple[bytes, ...] = ()
        self._ledger_keys = ledger_keys

    @property
    def identity(self) -> bytes:
        return self.founding.public.pack()

    def change(self, new: IdentityKeys) -> None:
        said = IdentityStatement(
            account_id(self.current.public), new.public.pack(), len(self.chain) + 1, NOW_MS
        )
        self.chain = (*self.chain, sign_statement(said, self.current).pack())
        self.current = new

    def statement(self) -> ServerStatement:
        ledger = ledger_id(self.id, NONCE)
        return ServerStatement(
            server=self.id,
            identity=self.current.public.pack(),
            seq=1,
            tls_key=TLS_KEY,
            ledger=ledger,
            ledger_nonce=NONCE,
            founding_ledger=ledger,
            ledger_key=self._ledger_keys.public.pack(),
            incarnation=b"i" * 16,
            issued_ms=NOW_MS,
            expires_ms=NOW_MS + limits.STATEMENT_MS,
            previous=NO_HASH,
        )

    def says(self, **changes: object) -> bytes:
        said: ServerStatement = msgspec.structs.replace(self.statement(), **changes)
        return sign_statement(said, self.current).pack()
