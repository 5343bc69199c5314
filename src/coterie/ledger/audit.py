"""What a ledger file proves: whose ledger it is, that heads and leaves agree, or that its server lied.

Shares with tree.py and LedgerView nothing but the formats: roots are computed along another way and the rules
of leaves are applied once more, so that a fault of one is found by the other (docs/protocol.md, Ledger files;
encryption rules 19, 20). Needs no network, no clock and no trust in whoever made the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec

from coterie.base.domains import Domain
from coterie.base.errors import SealBroken
from coterie.base.ids import AccountId, LedgerId
from coterie.base.signing import IdentityPublic, LedgerPublic, account_id, verify_identity
from coterie.ledger.heads import Head, LightHead, SignedHead, check_head, check_light_head
from coterie.ledger.leaves import NO_LEAF, SERVER_NAME_HASH, Leaf, LeafKind
from coterie.ledger.packing import pack, unpack
from coterie.ledger.statements import IdentityStatement, ServerStatement, SignedStatement, ledger_id

HEADS_MAX = 1000
HEIRS = (LeafKind.RESET, LeafKind.SUCCESSION)
"""By these a name goes to another account."""
_EMPTY = hashlib.sha256(b"").digest()


class LedgerFile(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What one client holds of a ledger, to be checked by anybody.

    identity, chain, statement: as in Welcome. heads: packed SignedHeads, light_heads: packed LightHeads.
    leaves: packed, from the first on.
    """

    identity: bytes
    chain: tuple[bytes, ...]
    statement: bytes
    heads: Annotated[tuple[bytes, ...], msgspec.Meta(max_length=HEADS_MAX)]
    light_heads: Annotated[tuple[bytes, ...], msgspec.Meta(max_length=HEADS_MAX)]
    leaves: tuple[bytes, ...]

    def pack(self) -> bytes:
        return pack(Domain.LEDGER_FILE, self)

    @classmethod
    def unpack(cls, data: bytes) -> LedgerFile:
        """Raises RemoteError; accepts exactly what pack() gives."""
        return unpack(_decoder, Domain.LEDGER_FILE, data)


_decoder = msgspec.msgpack.Decoder(LedgerFile)


class Fraud(msgspec.Struct, frozen=True):
    """What the ledger's key signed contradicts itself. heads: those that show it, one or two."""

    why: str
    heads: tuple[Head, ...]


class Audit(msgspec.Struct, frozen=True):
    """server: id of the founding identity. covered: how many leaves a signed head covers, root: of these;
    names: among them.
    fraud: None where all that is signed agrees. beyond: heads over more leaves than the file has."""

    server: AccountId
    ledger: LedgerId
    leaves: int
    covered: int
    root: bytes
    names: int
    heads: int
    beyond: int
    fraud: Fraud | None


def audit(file: LedgerFile) -> Audit:
    """Check everything.

    Raises RemoteError (malformed) or SealBroken (signatures that do not hold, leaves that no head covers as
    they are): such a file proves nothing, and accuses nobody.
    """
    server, ledger, key = _whose(file)
    heads = [check_head(SignedHead.unpack(each), key, ledger) for each in file.heads]
    heads += [check_light_head(LightHead.unpack(each), key, ledger) for each in file.light_heads]
    if not heads:
        raise SealBroken("a ledger file without a signed head")
    roots = _roots(file.leaves, {head.size for head in heads})
    right = [head for head in heads if roots.get(head.size) == head.root]
    covered = max((head.size for head in right), default=0)
    fraud = _two_truths(heads) or _two_pasts(heads, right, roots, covered)
    leaves = [Leaf.unpack(each) for each in file.leaves]
    broken, names = _follow(leaves[:covered], goes_on=_goes_on(file))
    if fraud is None and broken is not None:
        fraud = Fraud(broken, (max(right, key=lambda head: head.size),))
    if fraud is None and (hidden := _unrecorded(file, leaves[:covered])):
        fraud = Fraud(hidden, (max(right, key=lambda head: head.size),))
    if fraud is None and any(head.size in roots and head not in right for head in heads):
        raise SealBroken("leaves that are not those of the signed heads")
    beyond = sum(head.size not in roots for head in heads)
    root = roots.get(covered, _EMPTY)
    return Audit(server, ledger, len(leaves), covered, root, names, len(heads), beyond, fraud)


def ledger_of(file: LedgerFile) -> LedgerId:
    """Which ledger a file is about. Raises RemoteError, SealBroken."""
    return _whose(file)[1]


def together(own: LedgerFile, shown: LedgerFile) -> LedgerFile:
    """What one client holds and what somebody was shown of the same ledger, as one file to be checked: all
    heads of both, over the longer row of leaves."""
    longer = own if len(own.leaves) > len(shown.leaves) else shown
    return msgspec.structs.replace(
        longer,
        heads=tuple(dict.fromkeys((*own.heads, *shown.heads))),
        light_heads=tuple(dict.fromkeys((*own.light_heads, *shown.light_heads))),
    )


def _whose(file: LedgerFile) -> tuple[AccountId, LedgerId, LedgerPublic]:
    """The server, its ledger and that one's key, as the chain of identities and the statement prove them."""
    identity = IdentityPublic.unpack(file.identity)
    server = account_id(identity)
    for seq, packed in enumerate(file.chain, start=1):
        link = SignedStatement.unpack(packed)
        verify_identity(identity, link.payload, link.signature)
        change = IdentityStatement.unpack(link.payload)
        if change.old != account_id(identity) or change.seq != seq:
            raise SealBroken("a chain of identities with a gap")
        identity = IdentityPublic.unpack(change.new)
    signed = SignedStatement.unpack(file.statement)
    verify_identity(identity, signed.payload, signed.signature)
    said = ServerStatement.unpack(signed.payload)
    if said.server != server or said.ledger != ledger_id(server, said.ledger_nonce):
        raise SealBroken("a statement about another server or ledger")
    return server, said.ledger, LedgerPublic.unpack(said.ledger_key)


def _roots(leaves: Sequence[bytes], sizes: Iterable[int]) -> dict[int, bytes]:
    """The root over the first n leaves for each wanted n that there are leaves for, in one pass.

    peaks: the roots of the complete subtrees so far, largest first; two of one height become the next.
    """
    wanted = {size for size in sizes if size <= len(leaves)}
    roots = {0: _EMPTY} if 0 in wanted else {}
    peaks: list[tuple[int, bytes]] = []
    for size, leaf in enumerate(leaves, start=1):
        height, node = 0, hashlib.sha256(b"\x00" + leaf).digest()
        while peaks and peaks[-1][0] == height:
            height, node = height + 1, _joined(peaks.pop()[1], node)
        peaks.append((height, node))
        if size in wanted:
            root = peaks[-1][1]
            for _, left in reversed(peaks[:-1]):
                root = _joined(left, root)
            roots[size] = root
    return roots


def _joined(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _two_truths(heads: Sequence[Head]) -> Fraud | None:
    """Two signed heads of one size with two roots."""
    by_size: dict[int, Head] = {}
    for head in heads:
        other = by_size.setdefault(head.size, head)
        if other.root != head.root:
            return Fraud("two roots were signed for one size", (other, head))
    return None


def _two_pasts(
    heads: Sequence[Head], right: Sequence[Head], roots: dict[int, bytes], covered: int
) -> Fraud | None:
    """A signed head whose root is not that of a beginning of what a later signed head covers."""
    for head in heads:
        if head.size <= covered and roots[head.size] != head.root:
            later = next(each for each in right if each.size == covered)
            return Fraud("two signed heads do not belong to one growing ledger", (head, later))
    return None


def _goes_on(file: LedgerFile) -> bool:
    """Whether the ledger began after a restore: people's names go on in it where they stood."""
    said = ServerStatement.unpack(SignedStatement.unpack(file.statement).payload)
    return said.ledger != said.founding_ledger


def _follow(leaves: Sequence[Leaf], *, goes_on: bool = False) -> tuple[str | None, int]:
    """The first breach of a name's chain, None where there is none; and how many names people have."""
    newest: dict[bytes, int] = {}
    owners: dict[bytes, bytes] = {}
    """The name of every account."""
    for index, leaf in enumerate(leaves):
        before = leaves[newest[leaf.name_hash]] if leaf.name_hash in newest else None
        if leaf.previous != newest.get(leaf.name_hash, NO_LEAF):
            return f"leaf {index} does not follow its name's newest", 0
        stood_before = goes_on and before is None and leaf.kind is not LeafKind.SERVER
        if leaf.seq != (before.seq + 1 if before else 1) and not stood_before:
            return f"leaf {index} has a number that does not follow", 0
        if (leaf.kind is LeafKind.SERVER) != (leaf.name_hash == SERVER_NAME_HASH):
            return f"leaf {index} mixes a person and the server", 0
        if owners.get(leaf.account, leaf.name_hash) != leaf.name_hash:
            return f"leaf {index} gives an account a second name", 0
        if leaf.kind in HEIRS and leaf.account in owners:
            return f"leaf {index} gives a name to an account that is known", 0
        ended_before = stood_before and leaf.kind is LeafKind.TOMBSTONE
        wrong = "" if ended_before else _wrong_heir(leaf, before, leaves)
        if wrong:
            return f"leaf {index} {wrong}", 0
        owners[leaf.account] = leaf.name_hash
        newest[leaf.name_hash] = index
    return None, len(newest.keys() - {SERVER_NAME_HASH})


def _unrecorded(file: LedgerFile, leaves: Sequence[Leaf]) -> str:
    """What the server's identity signed and its ledger does not record as it should; "" for nothing. Where
    the leaves end before the statement's number, it may stand in a later one."""
    signed = SignedStatement.unpack(file.statement)
    said = ServerStatement.unpack(signed.payload)
    recorded = {leaf.seq: leaf.hash for leaf in leaves if leaf.kind is LeafKind.SERVER}
    if said.seq not in recorded:
        return ""
    if recorded[said.seq] != signed.hash:
        return "another statement of the server than the one that its ledger records"
    numbers = {hash: seq for seq, hash in recorded.items()}
    places = [numbers.get(SignedStatement.unpack(link).hash, 0) for link in file.chain]
    if places != sorted(set(places) - {0}) or any(place > said.seq for place in places):
        return "a change of the server's identity that its ledger does not record"
    return ""


def _wrong_heir(leaf: Leaf, before: Leaf | None, leaves: Sequence[Leaf]) -> str:
    """Why this leaf may not come after that one; "" where it may."""
    if before is None:
        return "" if leaf.kind in (LeafKind.MANIFEST, LeafKind.SERVER) else "ends a name before it began"
    if before.kind is LeafKind.TOMBSTONE:
        return "uses a deleted name again"
    if leaf.kind in HEIRS or leaf.account == before.account:
        return ""
    cancelled = before.kind is LeafKind.RESET and before.previous != NO_LEAF
    if cancelled and leaves[before.previous].account == leaf.account:
        return ""
    return "takes a name over"
