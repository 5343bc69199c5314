"""Garbage into everything that reads what somebody else wrote: a value or a clear error, nothing else.

COTERIE_GARBAGE_CALLS says how many calls are made in all (`make garbage` makes half a million), and
COTERIE_GARBAGE_SEED repeats a run; a failure names both seed and bytes.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from itertools import islice
from typing import Any

import msgspec
import pytest

from coterie.base.domains import Domain, wrap
from coterie.base.errors import Refused, RemoteError, SealBroken, Unavailable
from coterie.base.ids import EnvelopeId, UserName
from coterie.base.invite import Invite, parse_invite
from coterie.base.names import canonical
from coterie.base.signing import IdentityKeys, IdentityPublic, LedgerPublic, verify_device
from coterie.client.commands import parse
from coterie.client.core.profile import unpack_profile
from coterie.client.store.keys import pack as pack_key_file
from coterie.client.store.keys import unpack as unpack_key_file
from coterie.content import body
from coterie.content.body.verification import VerifyCancel, VerifyConfirm, VerifyStart
from coterie.content.read_marks import ReadMark, ReadMarks
from coterie.content.repair import Entry, NotForYou, Repair, RepairRequest, Stood, Wanted
from coterie.e2ee import hybrid
from coterie.e2ee.approval_code import ApprovalCode
from coterie.e2ee.fingerprint import SafetyCode, as_number
from coterie.e2ee.group import InnerMessage, KeyShare, KeyShares, open_message
from coterie.e2ee.identity import AccountSecret, Vault, WrapKind, wrap_secret
from coterie.e2ee.pairwise import OlmPlaintext, PlainKind, open_envelope_outer, peek_prekey_id
from coterie.e2ee.recovery import RecoveryKey
from coterie.e2ee.vodo import PRE_KEY, DeviceKeys, GroupIn, GroupOut, OlmSession, first_session_id
from coterie.ledger.deletion import SignedDeletion, sign_deletion
from coterie.ledger.heads import BriefHead, Head, LightHead, SignedHead, sign_head
from coterie.ledger.leaves import Leaf, LeafKind, LedgerView
from coterie.ledger.manifest import Manifest, Prekey, PrekeyKind, SignedManifest, SignedPrekey
from coterie.ledger.statements import IdentityStatement, ServerStatement, SignedStatement, sign_statement
from coterie.screens.cleaning import clean
from coterie.screens.richtext import rich
from coterie.server.vault import read_vault
from coterie.wire.codec import decode_client, decode_server
from tests.attacks.garbage import garbage
from tests.attacks.peers import EVERYONE, LEDGER, LEDGER_KEYS, NOW_MS, Peer
from tests.client.store.places import sample_key_file
from tests.e2ee.approvals import Newcomer, agreed, approver
from tests.wire.test_golden import pinned

CALLS = int(os.environ.get("COTERIE_GARBAGE_CALLS", "25000"))
SEED = os.environ.get("COTERIE_GARBAGE_SEED") or secrets.token_hex(8)
CLEAR = (RemoteError, SealBroken, Refused, Unavailable)
"""What may come of garbage; a LocalError would be a bug of ours, anything else a crash."""

SLOW = {"account secrets": 200, "identities": 200}
"""Parsers of private RSA keys take 60 ms where the bytes are nearly right: that many fewer calls."""

Parser = tuple[Callable[[bytes], Any], tuple[bytes, ...]]


def text(reader: Callable[[str], Any]) -> Callable[[bytes], Any]:
    """For parsers of what people type and link: any text, half surrogate pairs too."""
    return lambda data: reader(data.decode("utf-8", "surrogateescape"))


def of_the_wire() -> dict[str, Parser]:
    frames = tuple(pinned().values())
    return {"client frames": (decode_client, frames), "server frames": (decode_server, frames)}


def of_the_ledger(alice: Peer) -> dict[str, Parser]:
    view = LedgerView()
    leaf = Leaf(LeafKind.MANIFEST, bytes(32), alice.account, 1, bytes(32), -1).pack()
    head = Head(LEDGER, 1, bytes(32), NOW_MS)
    signed = sign_head(head, LEDGER_KEYS)
    prekey = alice.prekey(PrekeyKind.X_WING, alice.x_wing.public)
    statement = IdentityStatement(alice.account, alice.identity.public.pack(), 1, NOW_MS)
    server = ServerStatement(
        alice.account,
        alice.identity.public.pack(),
        1,
        bytes(32),
        LEDGER,
        bytes(16),
        LEDGER,
        LEDGER_KEYS.public.pack(),
        bytes(16),
        NOW_MS,
        NOW_MS + 1,
        bytes(32),
    )
    said = sign_statement(statement, alice.identity)
    deletion = sign_deletion(alice.signed, alice.identity, alice.device, alice.keys, NOW_MS)
    return {
        "leaves": (view.append, (leaf,)),
        "heads": (Head.unpack, (head.pack(),)),
        "light heads": (LightHead.unpack, (signed.light.pack(),)),
        "brief heads": (BriefHead.unpack, (signed.brief.pack(),)),
        "signed heads": (SignedHead.unpack, (signed.pack(),)),
        "manifests": (Manifest.unpack, (alice.signed.payload,)),
        "signed manifests": (SignedManifest.unpack, (alice.signed.pack(),)),
        "deletions": (SignedDeletion.unpack, (deletion.pack(), deletion.payload)),
        "prekeys": (Prekey.unpack, (SignedPrekey.unpack(prekey).payload,)),
        "signed prekeys": (SignedPrekey.unpack, (prekey,)),
        "identity statements": (IdentityStatement.unpack, (said.payload,)),
        "server statements": (ServerStatement.unpack, (server.pack(),)),
        "signed statements": (SignedStatement.unpack, (said.pack(),)),
        "public identities": (IdentityPublic.unpack, (alice.identity.public.pack(),)),
        "ledger keys": (LedgerPublic.unpack, (LEDGER_KEYS.public.pack(),)),
        "device signatures": (
            lambda data: verify_device(alice.keys.ed25519, b"message", data),
            (alice.keys.sign(b"message"),),
        ),
    }


def of_what_is_sealed(alice: Peer, bob: Peer) -> dict[str, Parser]:
    (one_time,) = bob.keys.new_one_time_keys(1)
    olm = alice.keys.start(bob.keys.curve25519, one_time)
    out = GroupOut.create()
    share = alice.share_of(out, EVERYONE)
    reader = GroupIn.from_session_key(share.session_key)
    said = alice.message(out, EVERYONE, "hello").sealed
    envelope = alice.envelope(olm, bob, share.pack(), EnvelopeId(bytes(16)))
    _, first = olm.seal(b"hello")
    plain = OlmPlaintext(alice.party, bob.party, int(PlainKind.KEY_SHARE), bytes(16), None, share.pack())
    key = b"k" * 32
    return {
        "read marks": (
            ReadMarks.unpack,
            (ReadMarks((ReadMark(bytes(16), 7), ReadMark(EVERYONE, 1))).pack(),),
        ),
        "repair requests": (
            RepairRequest.unpack,
            (
                RepairRequest((Wanted(EVERYONE, bytes(16), b"", 7, bytes(32)),)).pack(),
                RepairRequest(
                    (Wanted(EVERYONE, bytes(16), bytes(16), 0, b""),),
                    Stood(bytes(150), bytes(120), 7, (bytes(32),) * 3),
                ).pack(),
            ),
        ),
        "not for you": (NotForYou.unpack, (NotForYou((Entry(EVERYONE, bytes(16)),)).pack(),)),
        "repairs": (Repair.unpack, (Repair(key, 7, said.inner).filled().pack(),)),
        "key shares": (KeyShare.unpack, (share.pack(),)),
        "several key shares": (KeyShares.unpack, (KeyShares((share, share)).pack(),)),
        "inner messages": (InnerMessage.unpack, (said.inner,)),
        "group messages": (lambda data: open_message(reader, data, said.commitment), (said.ciphertext,)),
        "session keys": (GroupIn.from_session_key, (share.session_key,)),
        "exports": (GroupIn.import_, (reader.export_at(0),)),
        "Olm plaintexts": (OlmPlaintext.unpack, (plain.pack(),)),
        "envelopes": (
            lambda data: open_envelope_outer(
                data,
                alice.account,
                alice.device,
                bob.account,
                bob.device,
                envelope.envelope,
                lambda _: bob.x_wing.private,
            ),
            (envelope.sealed,),
        ),
        "prekey ids": (peek_prekey_id, (envelope.sealed,)),
        "X-Wing": (lambda data: hybrid.open(bob.x_wing.private, b"", data), (bytes(1200),)),
        "X-Wing keys": (lambda data: hybrid.seal(data, b"", b""), (bob.x_wing.public,)),
        "first Olm messages": (lambda data: bob.keys.open_first(alice.keys.curve25519, data), (first,)),
        "Olm messages": (lambda data: olm.open(PRE_KEY, data), (first,)),
        "ids of first messages": (first_session_id, (first,)),
        "Olm keys": (lambda data: alice.keys.start(data, one_time), (bob.keys.curve25519,)),
        "device pickles": (lambda data: DeviceKeys.from_pickle(data, key), (alice.keys.pickle(key),)),
        "Olm pickles": (lambda data: OlmSession.from_pickle(data, key), (olm.pickle(key),)),
        "sending pickles": (lambda data: GroupOut.from_pickle(data, key), (out.pickle(key),)),
        "reading pickles": (lambda data: GroupIn.from_pickle(data, key), (reader.pickle(key),)),
    }


def of_files_and_people(alice: Peer) -> dict[str, Parser]:
    secret = AccountSecret(alice.identity, bytes(32))
    wrapped = wrap_secret(secret, b"k" * 32, WrapKind.RECOVERY, alice.account, bytes(16))
    vault = Vault(bytes(16), (wrapped,), (bytes(16),)).pack()
    link = Invite("127.0.0.1", 4433, alice.account, b"token").link.encode()
    words = RecoveryKey(bytes(32)).words().encode()
    code = SafetyCode(alice.account, alice.account).text.encode()
    return {
        "vaults": (Vault.unpack, (vault,)),
        "vaults at the server": (read_vault, (vault,)),
        "account secrets": (AccountSecret.unpack, (secret.pack(),)),
        "identities": (IdentityKeys.unpack, (alice.identity.pack(),)),
        "bodies": (body.unpack, (body.pack(body.Text("hello")), wrap(Domain.SALT, b"")[:3])),
        "bodies of a comparison": (
            body.unpack,
            (
                body.pack(VerifyStart(bytes(16), bytes(32))),
                body.pack(VerifyConfirm(bytes(16), bytes(32))),
                body.pack(VerifyCancel(bytes(16), 1)),
            ),
        ),
        "safety codes": (
            text(SafetyCode.from_text),
            (code,),
        ),
        "safety numbers": (text(as_number), (b"12345 " * 12,)),
        "key files": (unpack_key_file, (pack_key_file(sample_key_file()),)),
        "profiles": (unpack_profile, (msgspec.msgpack.encode([b"x" * 32] * 10),)),
        "invites": (text(parse_invite), (link,)),
        "names": (
            text(canonical),
            (b"alice", "anna-l\u00e9a_9".encode(), "\u0430\u043d\u043d\u0430".encode()),
        ),
        "recovery keys": (text(RecoveryKey.from_words), (words,)),
        "typed text": (text(lambda typed: parse(typed, UserName)), (b"@bob hi", b"@everyone: hello")),
        "shown text": (
            text(lambda shown: rich(clean(shown), lambda _: True)),
            (b"*bold* `code` https://a.b/c",),
        ),
    }


def of_approvals() -> dict[str, Parser]:
    """What a device that wants to join and the account's say: each side as far as it has come then."""
    first, new = Newcomer(), Newcomer()
    old = approver(new.side.request, new.side.rendezvous)
    agreed(new, old)
    new.side.compared()
    grant = old.grant(AccountSecret.generate(), b"manifest", b"vault")
    asked, waits = approver(first.side.request, first.side.rendezvous), Newcomer()
    reveal = first.side.answered(approver(first.side.request, first.side.rendezvous).answer)
    return {
        "approval requests": (lambda data: approver(data, new.side.rendezvous), (new.side.request,)),
        "approval answers": (waits.side.answered, (old.answer,)),
        "approval reveals": (asked.revealed, (reveal,)),
        "approval grants": (new.side.granted, (grant,)),
        "approval confirmations": (old.check_kept, (new.side.kept,)),
        "approval codes": (text(ApprovalCode.from_text), (new.side.code.encode(),)),
    }


def parsers(alice: Peer, bob: Peer) -> dict[str, Parser]:
    return {
        **of_the_wire(),
        **of_the_ledger(alice),
        **of_what_is_sealed(alice, bob),
        **of_files_and_people(alice),
        **of_approvals(),
    }


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_garbage_gives_a_value_or_a_clear_error(alice: Peer, mallory: Peer) -> None:
    """Attack: a peer, a server or a damaged disk says anything at all. Every rule: what cannot be read is
    refused with a clear error; no crash, no panic of a library, no other exception."""
    every = parsers(alice, mallory)
    calls = -(-CALLS // (len(every) - len(SLOW)))
    refused = 0
    for name, (parser, genuine) in every.items():
        share = max(10, calls // SLOW.get(name, 1))
        for data in islice(garbage(genuine, f"{SEED} {name}".encode()), share):
            try:
                parser(data)
            except CLEAR:
                refused += 1
            except BaseException as error:
                raise AssertionError(f"{name}: {data.hex()} of seed {SEED}") from error
    assert CALLS // 2 < refused < CALLS
