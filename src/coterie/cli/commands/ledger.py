"""`coterie ledger proof FILE`, `coterie ledger audit FILE_OR_SERVER`: what a ledger says, for all to check.

audit needs no account and no trust, and for a file no network: exit 0 where all that is signed agrees, 4
where the server has contradicted itself, 1 for what proves nothing. Where this home has a profile on the
server, what a stranger is shown is checked together with the profile's own view, and a proof is kept in it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from coterie.base.codes import Code
from coterie.base.errors import Refused, RemoteError, SealBroken, SecurityStop, Unavailable
from coterie.base.ids import AccountId
from coterie.base.invite import parse_invite
from coterie.base.signing import IdentityPublic, account_id
from coterie.cli import session
from coterie.cli.arguments import Arguments
from coterie.cli.chat_shapes import AuditShape, HeadShape, ProofShape
from coterie.cli.failures import Exit, refuse
from coterie.cli.output import Output
from coterie.cli.shapes import iso
from coterie.client.api.auditing import fetch_ledger
from coterie.client.store.profiles import profiles
from coterie.ledger.audit import Audit, LedgerFile, audit
from coterie.ledger.heads import Head

STDIN = "-"
FILE_BYTES = 1 << 30


def run(given: Arguments, output: Output) -> int:
    if given.action == "proof":
        return session.run(_proof(given, output))
    if given.file != STDIN and _is_server(given.file):
        return session.run(_audit_server(given, output))
    return _judged(lambda: audit(LedgerFile.unpack(_read(given.file))), output)


def _is_server(word: str) -> bool:
    """Whether an invite or HOST:PORT is meant; a file that is there is a file."""
    if Path(word).exists():
        return False
    try:
        parse_invite(word)
    except Refused:
        return False
    return True


async def _audit_server(given: Arguments, output: Output) -> int:
    """What the server shows to a stranger, alone and together with what this home has seen."""
    shown = await fetch_ledger(given.file)
    ends = _judged(lambda: audit(shown), output)
    for profile in _profiles_on(account_id(IdentityPublic.unpack(shown.identity)), given):
        if ends is Exit.DONE:
            given.profile = profile
            async with session.opened(given) as me:
                await session.live_if_possible(me)
                ends = _judged(lambda: me.hold_against(shown), output, profile)
    return ends


def _profiles_on(server: AccountId, given: Arguments) -> list[str]:
    """Folder names of the profiles of this home on that server; of the one named, where one is."""
    places = [place for place in profiles(session.home_of(given)) if place.is_on(server)]
    return [each.folder.name for each in places if given.profile in (None, each.name, each.folder.name)]


def _judged(check: Callable[[], Audit], output: Output, profile: str | None = None) -> Exit:
    try:
        found = check()
    except SecurityStop:
        raise
    except (RemoteError, SealBroken) as error:
        refuse("proves-nothing", f"This proves nothing: {error.note}", output)
        return Exit.REFUSED
    output.show(_shape(found, profile), _sentences(found, profile))
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


def _shape(found: Audit, profile: str | None) -> AuditShape:
    return AuditShape(
        server=found.server.hex(),
        ledger=found.ledger.hex(),
        leaves=found.leaves,
        covered=found.covered,
        root=found.root.hex(),
        names=found.names,
        heads=found.heads,
        beyond=found.beyond,
        fraud=found.fraud.why if found.fraud else None,
        shown_by=tuple(_head(head) for head in found.fraud.heads) if found.fraud else (),
        held_against=profile,
    )


def _head(head: Head) -> HeadShape:
    return HeadShape(size=head.size, root=head.root.hex(), signed_at=iso(head.time_ms))


def _sentences(found: Audit, profile: str | None) -> str:
    lines = [f"together with what {profile} has seen:"] if profile else []
    lines += [
        f"server {found.server.hex()}",
        f"ledger {found.ledger.hex()}",
        f"{found.covered} of {found.leaves} leaves are covered by {found.heads} signed heads",
        f"root {found.root.hex()}",
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
        if profile:
            lines.append("the proof is kept: coterie ledger proof FILE writes it for others")
    return "\n".join(lines)
