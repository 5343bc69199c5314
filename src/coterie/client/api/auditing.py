"""A server's whole ledger, as it shows it to whoever asks: without an account, so it cannot know whom it
would have to lie to (encryption rule 20)."""

from __future__ import annotations

from coterie.base.clock import Clock, SystemClock
from coterie.base.codes import Code
from coterie.base.errors import RemoteError
from coterie.base.invite import parse_invite
from coterie.client.link import Address, Connection
from coterie.ledger.audit import LedgerFile
from coterie.ledger.heads import Head, SignedHead
from coterie.wire.frames import FetchLeaves, Leaves


async def fetch_ledger(server: str, clock: Clock | None = None) -> LedgerFile:
    """All leaves under the newest head, and how the server proves itself; nothing of it is checked beyond
    that proof (ledger.audit does).

    server: an invite link, or HOST:PORT. Raises Refused (not-signed-in where only members may look,
    needs-invite, busy), Unavailable, RemoteError, SecurityStop(identity-changed).
    """
    invite = parse_invite(server)
    address = Address(invite.host, invite.port, invite.fingerprint)
    connection = await Connection.open(address, clock or SystemClock())
    try:
        leaves, head = await _all_leaves(connection)
    finally:
        connection.close()
        await connection.lost()
    welcome = connection.welcome
    return LedgerFile(welcome.identity, welcome.chain, welcome.statement, (head,), (), leaves)


async def _all_leaves(connection: Connection) -> tuple[tuple[bytes, ...], bytes]:
    """Page by page, to the newest head."""
    leaves: list[bytes] = []
    request = 0
    while True:
        request += 1
        page = await connection.ask(FetchLeaves(request, len(leaves)))
        if not isinstance(page, Leaves) or page.start != len(leaves):
            raise RemoteError(Code.UNEXPECTED_FRAME, "no leaves")
        leaves += page.leaves
        size = Head.unpack(SignedHead.unpack(page.head).payload).size
        if len(leaves) >= size:
            return tuple(leaves[:size]), page.head
        if not page.leaves:
            raise RemoteError(Code.BAD_FRAME, "the ledger ends before its head")
