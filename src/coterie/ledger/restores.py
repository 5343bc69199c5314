"""Whether a server's word may be believed that its data was restored from a copy, and that its people go on
in another ledger (docs/protocol.md 2.9; encryption rule 19).

Anybody may check the signatures. Whether a client goes along is client/core/lives.py: at most once a day.
"""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.errors import SealBroken, SecurityStop
from coterie.base.signing import IdentityPublic, account_id, verify_identity
from coterie.ledger.statements import RestoreStatement, ServerStatement, SignedStatement


def unpack_restores(packed: tuple[bytes, ...]) -> tuple[RestoreStatement, ...]:
    """Raises RemoteError."""
    return tuple(RestoreStatement.unpack(SignedStatement.unpack(each).payload) for each in packed)


def check_restores(
    restores: tuple[bytes, ...], said: ServerStatement, identities: tuple[IdentityPublic, ...]
) -> None:
    """The way from a server's first ledger to the one that its statement names: every step signed by one of
    its identities (which are proven already), numbered, and of this server.

    Raises SecurityStop(identity-changed), RemoteError.
    """
    by_id = {account_id(each): each for each in identities}
    ledger = said.founding_ledger
    for seq, packed in enumerate(restores, start=1):
        signed = SignedStatement.unpack(packed)
        restore = RestoreStatement.unpack(signed.payload)
        identity = by_id.get(restore.identity)
        if identity is None:
            raise _false("a restore that another identity signed")
        try:
            verify_identity(identity, signed.payload, signed.signature)
        except SealBroken as error:
            raise _false(error.note) from None
        if (restore.server, restore.seq, restore.old_ledger) != (said.server, seq, ledger):
            raise _false("a restore of another server or ledger")
        ledger = restore.ledger
    if ledger != said.ledger:
        raise _false("a ledger to which no restore leads")
    if restores and unpack_restores(restores[-1:])[0].incarnation != said.incarnation:
        raise _false("an incarnation that the restore does not name")


def _false(note: str) -> SecurityStop:
    return SecurityStop(Code.IDENTITY_CHANGED, note)
