"""`coterie ledger proof FILE` and `coterie ledger audit FILE`: what a ledger says, for anybody to check.

audit needs no account, no network and no trust: exit 0 where all that is signed agrees, 4 where the server
has contradicted itself, 1 for a file that proves nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path

from coterie.base.codes import Code
from coterie.base.errors import RemoteError, SealBroken, Unavailable
from coterie.cli import session
from coterie.cli.arguments import Arguments
from coterie.cli.chat_shapes import AuditShape, HeadShape, ProofShape
from coterie.cli.failures import Exit, refuse
from coterie.cli.output import Output
from coterie.cli.shapes import iso
from coterie.ledger.audit import Audit, LedgerFile, audit
from coterie.ledger.heads import Head

STDIN = "-"
FILE_BYTES = 1 << 30


def run(given: Arguments, output: Output) -> int:
    if given.action == "proof":
        return session.run(_proof(given, output))
    return _audit(given.file, output)


def _audit(name: str, output: Output) -> int:
    try:
        found = audit(LedgerFile.unpack(_read(name)))
    except (RemoteError, SealBroken) as error:
        refuse("proves-nothing", f"This file proves nothing: {error.note}", output)
        return Exit.REFUSED
    output.show(_shape(found), _sentences(found))
    return Exit.SECURITY_STOP if found.fraud else Exit.DONE


async def _proof(given: Arguments, output: Output) -> int:
    async with session.opened(given) as me:
        await session.live_if_possible(me)
        data = me.ledger_file()
    if given.file == STDIN:
        sys.stdout.buffer.write(data)
        return Exit.DONE
    _write(given.file, data)
    output.show(ProofShape(file=given.file, bytes=len(data)), f"{given.file}: {len(data)} bytes")
    return Exit.DONE


def _write(name: str, data: bytes) -> None:
    try:
        with Path(name).open("xb") as file:
            file.write(data)
    except OSError as error:
        raise Unavailable(Code.DISK, f"{name}: {error.strerror}") from None


def _read(name: str) -> bytes:
    try:
        if name == STDIN:
            return sys.stdin.buffer.read(FILE_BYTES)
        with Path(name).open("rb") as file:
            return file.read(FILE_BYTES)
    except OSError as error:
        raise Unavailable(Code.DISK, f"{name}: {error.strerror}") from None


def _shape(found: Audit) -> AuditShape:
    return AuditShape(
        server=found.server.hex(),
        ledger=found.ledger.hex(),
        leaves=found.leaves,
        covered=found.covered,
        names=found.names,
        heads=found.heads,
        beyond=found.beyond,
        fraud=found.fraud.why if found.fraud else None,
        shown_by=tuple(_head(head) for head in found.fraud.heads) if found.fraud else (),
    )


def _head(head: Head) -> HeadShape:
    return HeadShape(size=head.size, root=head.root.hex(), signed_at=iso(head.time_ms))


def _sentences(found: Audit) -> str:
    lines = [
        f"server {found.server.hex()}",
        f"ledger {found.ledger.hex()}",
        f"{found.covered} of {found.leaves} leaves are covered by {found.heads} signed heads",
        f"{found.names} people have a name there",
    ]
    if found.beyond:
        lines.append(f"{found.beyond} heads speak of leaves that this file does not have")
    if found.fraud is None:
        lines.append("everything that is signed agrees")
    else:
        lines.append(f"FRAUD: {found.fraud.why}")
        lines += [
            f"  {each.signed_at}  size {each.size}  root {each.root}"
            for each in (_head(head) for head in found.fraud.heads)
        ]
    return "\n".join(lines)
