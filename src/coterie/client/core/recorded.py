"""Whether the server's proof of itself stands in the ledger that everybody sees (encryption rule 7), and all
that this device holds of both, for others to check."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.client.core.alarms import SplitProof
from coterie.client.core.ports import Reads
from coterie.client.core.profile import unpack_proof
from coterie.client.store.records import Setting
from coterie.ledger.audit import LedgerFile
from coterie.ledger.checks import check_recorded
from coterie.ledger.leaves import SERVER_NAME_HASH, LedgerView
from coterie.ledger.statements import ServerStatement, SignedStatement


class Recorded:
    """Looks once in every connection, when the leaves are here that Ready's head covers: a server publishes a
    statement's leaf before it says the statement to anybody."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._wanted_size: int | None = None

    def connected(self, size: int, view: LedgerView, proven: int) -> None:
        """size: of the ledger by Ready's head.

        Raises what grown() raises, and Unavailable(statement-expired) where the leaves kept here record a
        newer statement: whoever has an old certificate's key could still show the one that names it.
        """
        self._wanted_size = size
        packed, newest = self._reads.setting(Setting.SERVER_PROOF), view.newest_of_name(SERVER_NAME_HASH)
        if packed is not None and newest is not None:
            signed = SignedStatement.unpack(unpack_proof(packed).statement)
            if ServerStatement.unpack(signed.payload).seq < newest[1].seq:
                raise Unavailable(Code.STATEMENT_EXPIRED, "a statement that was replaced")
        self.grown(view, proven)

    def grown(self, view: LedgerView, proven: int) -> None:
        """`proven` leaves of the view stand under a signed head. Raises SecurityStop(identity-changed)."""
        packed = self._reads.setting(Setting.SERVER_PROOF)
        if packed is None or self._wanted_size is None or proven < self._wanted_size:
            return
        proof = unpack_proof(packed)
        check_recorded(proof.chain, proof.statement, view, proof.restores)
        self._wanted_size = None


def ledger_file(reads: Reads, split: SplitProof | None) -> LedgerFile:
    """The server's proof of itself, the newest head and all leaves; after a stop, what shows the fraud.

    Raises Unavailable(unreachable) before the first connection.
    """
    proof = unpack_proof(reads.setting(Setting.SERVER_PROOF))
    head = reads.setting(Setting.HEAD)
    heads = dict.fromkeys((*((head,) if head else ()), *(split.signed if split else ())))
    return LedgerFile(
        identity=proof.identity,
        chain=proof.chain,
        statement=proof.statement,
        heads=tuple(heads),
        light_heads=split.light if split else (),
        leaves=(split.leaves if split else ()) or tuple(reads.leaves()),
    )
