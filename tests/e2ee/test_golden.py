"""Bytes of everything that e2ee packs, seals or pickles, pinned: they must read the same for ever.

After a wanted change: python -m tests.e2ee.test_golden writes the file anew; its diff is the change of
format.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from coterie.base.ids import AccountId, DeviceId, SessionId
from coterie.base.signing import account_id
from coterie.content.padding import padded_size
from coterie.e2ee import hybrid
from coterie.e2ee.group import (
    InnerMessage,
    KeyShare,
    KeyShares,
    LeftOut,
    Parent,
    commit,
    open_message,
    seal_message,
)
from coterie.e2ee.hybrid import XWingKey
from coterie.e2ee.identity import (
    AccountSecret,
    Vault,
    WrapKind,
    Wrapped,
    open_secret,
    vault_hash,
    verifier_id,
    wrap_secret,
)
from coterie.e2ee.pairwise import (
    FreshKey,
    OlmPlaintext,
    Party,
    PlainKind,
    envelope_info,
    open_envelope_outer,
    open_plaintext,
    seal_envelope,
)
from coterie.e2ee.vodo import DeviceKeys, GroupIn, GroupOut, OlmSession, pickle_key
from tests.e2ee.pair import CONVERSATION, ENVELOPE, MEMBERSHIP, MESSAGE

GOLDEN = Path(__file__).parents[1] / "golden" / "sealing-v1.txt"

ALICE = Party(AccountId(b"a" * 32), DeviceId(b"a" * 16), b"A" * 32)
BOB = Party(AccountId(b"b" * 32), DeviceId(b"b" * 16), b"B" * 32)
X_WING = XWingKey.from_private(bytes(range(96)))
PICKLE_KEY = pickle_key(bytes(range(32)), b"golden")
RANDOM = bytes(range(16))
SHARE = KeyShare(
    conversation=CONVERSATION,
    membership_hash=MEMBERSHIP,
    session=SessionId(b"s" * 32),
    session_key=b"k" * 306,
    index=5,
    predecessor=b"p" * 32,
    last_n=3,
    last_hash=b"h" * 32,
)
NEXT = msgspec.structs.replace(SHARE, session=SessionId(b"t" * 32), predecessor=SHARE.session)
SEVERAL = KeyShares((SHARE, NEXT))
INNER = InnerMessage(
    conversation=CONVERSATION,
    account=ALICE.account,
    device=ALICE.device,
    membership_hash=MEMBERSHIP,
    message=MESSAGE,
    n=4,
    previous=b"h" * 32,
    parents=(Parent(b"i" * 32, BOB.device, 3),),
    left_out=(LeftOut(BOB.account, BOB.device, "no-prekey"),),
    time_ms=1_700_000_000_000,
    head=b"head",
    body=b"body",
)
PLAINTEXT = OlmPlaintext(
    ALICE, BOB, int(PlainKind.KEY_SHARE), ENVELOPE, FreshKey(9, X_WING.public), b"content"
)
VAULT = Vault(RANDOM, (Wrapped(int(WrapKind.RECOVERY), b"n" * 12, b"ciphertext"),), (b"v" * 16,))

PACKED = {
    "key-share": SHARE.pack(),
    "key-shares": SEVERAL.pack(),
    "inner-message": INNER.pack(),
    "commitment": commit(b"f" * 32, INNER.pack()),
    "olm-plaintext": PLAINTEXT.pack(),
    "vault": VAULT.pack(),
    "vault-hash": vault_hash(VAULT.pack()),
    "verifier-id": verifier_id(b"k" * 32),
    "pickle-key": PICKLE_KEY,
    "envelope-info": envelope_info(ALICE.account, ALICE.device, BOB.account, BOB.device, 7, ENVELOPE),
    "x-wing-public-sha256": hashlib.sha256(X_WING.public).digest(),
}
"""What is the same each time."""


def pinned() -> dict[str, bytes]:
    return {
        name: bytes.fromhex(data) for name, data in (line.split() for line in GOLDEN.read_text().splitlines())
    }


def _sealed() -> dict[str, bytes]:
    """What is different each time: pinned once, and must open for ever."""
    alice, bob = DeviceKeys.create(), DeviceKeys.create()
    (one_time,) = bob.new_one_time_keys(1)
    bob_before = bob.pickle(PICKLE_KEY)
    session = alice.start(bob.curve25519, one_time)
    out = GroupOut.create()
    reader = GroupIn.from_session_key(out.session_key())
    group_out = out.pickle(PICKLE_KEY)
    sealed = seal_message(out, INNER, padded_size)
    secret = AccountSecret.generate()
    account = account_id(secret.identity.public)
    wrapped = wrap_secret(secret, b"w" * 32, WrapKind.PASSPHRASE, account, RANDOM)
    return {
        "alice-curve25519": alice.curve25519,
        "bob-pickle": bob_before,
        "envelope": seal_envelope(
            session, ALICE, BOB, ENVELOPE, PlainKind.KEY_SHARE, SHARE.pack(), 7, X_WING.public
        ),
        "olm-pickle": session.pickle(PICKLE_KEY),
        "hpke": hybrid.seal(X_WING.public, b"info", b"plaintext"),
        "group-out-pickle": group_out,
        "group-in-pickle": reader.pickle(PICKLE_KEY),
        "group-message": sealed.ciphertext,
        "group-commitment": sealed.commitment,
        "wrapped-account": account,
        "wrapped-vault": Vault(RANDOM, (wrapped,), ()).pack(),
    }


@pytest.mark.parametrize("name", PACKED)
def test_packed_bytes_stay_as_they_are(name: str) -> None:
    assert PACKED[name] == pinned()[name]


def test_packed_bytes_read_as_they_did() -> None:
    golden = pinned()
    assert KeyShare.unpack(golden["key-share"]) == SHARE
    assert KeyShares.unpack(golden["key-shares"]) == SEVERAL
    assert InnerMessage.unpack(golden["inner-message"]) == INNER
    assert OlmPlaintext.unpack(golden["olm-plaintext"]) == PLAINTEXT
    assert Vault.unpack(golden["vault"]) == VAULT


def test_a_sealed_envelope_opens_with_the_pickled_keys() -> None:
    golden = pinned()
    bob = DeviceKeys.from_pickle(golden["bob-pickle"], PICKLE_KEY)
    _, message = open_envelope_outer(
        golden["envelope"],
        ALICE.account,
        ALICE.device,
        BOB.account,
        BOB.device,
        ENVELOPE,
        {7: X_WING.private}.get,
    )
    session, plaintext = bob.open_first(golden["alice-curve25519"], message)
    opened = open_plaintext(plaintext, ALICE, BOB, ENVELOPE)
    assert KeyShare.unpack(opened.content) == SHARE
    assert OlmSession.from_pickle(golden["olm-pickle"], PICKLE_KEY).id == session.id
    assert hybrid.open(X_WING.private, b"info", golden["hpke"]) == b"plaintext"


def test_a_sealed_message_opens_with_the_pickled_session() -> None:
    golden = pinned()
    reader = GroupIn.from_pickle(golden["group-in-pickle"], PICKLE_KEY)
    assert open_message(reader, golden["group-message"], golden["group-commitment"]).inner == INNER
    assert GroupOut.from_pickle(golden["group-out-pickle"], PICKLE_KEY).id == reader.id


def test_a_wrapped_secret_opens() -> None:
    golden = pinned()
    account = AccountId(golden["wrapped-account"])
    vault = Vault.unpack(golden["wrapped-vault"])
    secret = open_secret(vault, WrapKind.PASSPHRASE, b"w" * 32, account)
    assert account_id(secret.identity.public) == account


if __name__ == "__main__":
    lines = [f"{name} {data.hex()}\n" for name, data in (PACKED | _sealed()).items()]
    GOLDEN.write_text("".join(lines))
