"""The bytes of everything that is signed or hashed, pinned: they may never change."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from coterie.base.conversations import direct_id, everyone_id, membership_hash
from coterie.base.domains import Domain
from coterie.base.ids import AccountId, DeviceId, LedgerId, UserName
from coterie.base.signing import IdentityPublic, LedgerPublic, account_id
from coterie.ledger.heads import BriefHead, Head, LightHead
from coterie.ledger.leaves import SERVER_NAME_HASH, Leaf, LeafKind, name_hash
from coterie.ledger.manifest import (
    FIRST,
    RECOVERY,
    DeviceEntry,
    Manifest,
    Prekey,
    PrekeyKind,
    SignedManifest,
    SignedPrekey,
)
from coterie.ledger.statements import IdentityStatement, ServerStatement, SignedStatement, ledger_id

ACCOUNT = AccountId(bytes(range(32)))
DEVICE = DeviceId(bytes(range(16)))
OTHER = DeviceId(bytes(range(16, 32)))
LEDGER = LedgerId(bytes(range(32, 48)))
IDENTITY = IdentityPublic(b"\xc0" + bytes(382) + b"\x01", bytes(1952))
LEDGER_KEY = LedgerPublic(b"\x05" * 32, b"\x06" * 1952)
TIME_MS = 1_800_000_000_000

MANIFEST = Manifest(
    account=ACCOUNT,
    name=UserName("zoë"),
    seq=2,
    previous=b"\x07" * 32,
    devices=(
        DeviceEntry(DEVICE, "", b"", b"\x01" * 32, TIME_MS, TIME_MS + 5, FIRST, marked=False),
        DeviceEntry(OTHER, "desk", b"\x02" * 32, b"\x03" * 32, TIME_MS, 0, RECOVERY, marked=True),
    ),
    vault_hash=b"\x04" * 32,
    time_ms=TIME_MS,
    identity=IDENTITY.pack(),
)
PREKEY = Prekey(PrekeyKind.FALLBACK, 300, TIME_MS, ACCOUNT, DEVICE, b"\x08" * 32)
STATEMENT = ServerStatement(
    server=ACCOUNT,
    identity=IDENTITY.pack(),
    seq=1,
    tls_key=b"\x09" * 32,
    ledger=LEDGER,
    ledger_nonce=b"\x0a" * 16,
    founding_ledger=LEDGER,
    ledger_key=LEDGER_KEY.pack(),
    incarnation=b"\x0b" * 16,
    issued_ms=TIME_MS,
    expires_ms=TIME_MS + 1,
    previous=bytes(32),
)
CHANGE = IdentityStatement(ACCOUNT, IDENTITY.pack(), 1, TIME_MS)
LEAF = Leaf(LeafKind.MANIFEST, name_hash(UserName("zoë")), ACCOUNT, 2, b"\x0c" * 32, -1)
HEAD = Head(LEDGER, 70_000, b"\x0d" * 32, TIME_MS)


def hexed(number: int, *, bytes_: int) -> str:
    return number.to_bytes(bytes_, "big").hex()


def test_a_leaf() -> None:
    """Domain, zero byte, suite, then an array of six."""
    expected = (
        b"coterie leaf".hex()
        + "0001"
        + "96"
        + "01"
        + "c420"
        + name_hash(UserName("zoë")).hex()
        + "c420"
        + ACCOUNT.hex()
        + "02"
        + "c420"
        + "0c" * 32
        + "ff"
    )
    assert LEAF.pack().hex() == expected


def test_a_head() -> None:
    expected = (
        b"coterie head".hex()
        + "0001"
        + "94"
        + "c410"
        + LEDGER.hex()
        + "ce"
        + hexed(70_000, bytes_=4)
        + "c420"
        + "0d" * 32
        + "cf"
        + hexed(TIME_MS, bytes_=8)
    )
    assert HEAD.pack().hex() == expected
    light = LightHead(HEAD.pack(), b"\x0e" * 64)
    assert light.pack().hex() == "92c4" + hexed(len(HEAD.pack()), bytes_=1) + expected + "c440" + "0e" * 64


def test_a_head_in_a_message() -> None:
    """Size, root, time and signature: what it is signed over comes of these and the ledger's id."""
    light = LightHead(HEAD.pack(), b"\x0e" * 64)
    brief = BriefHead(HEAD.size, HEAD.root, HEAD.time_ms, light.ed25519)
    expected = "94ce" + hexed(70_000, bytes_=4) + "c420" + "0d" * 32 + "cf" + hexed(TIME_MS, bytes_=8)
    assert brief.pack().hex() == expected + "c440" + "0e" * 64
    assert brief.light(LEDGER) == light


def test_a_prekey() -> None:
    expected = (
        b"coterie prekey".hex()
        + "0001"
        + "96"
        + "02"
        + "cd"
        + hexed(300, bytes_=2)
        + "cf"
        + hexed(TIME_MS, bytes_=8)
        + "c420"
        + ACCOUNT.hex()
        + "c410"
        + DEVICE.hex()
        + "c420"
        + "08" * 32
    )
    assert PREKEY.pack().hex() == expected


def test_a_manifest() -> None:
    time = "cf" + hexed(TIME_MS, bytes_=8)
    gone = "98c410" + DEVICE.hex() + "a0" + "c400" + "c420" + "01" * 32 + time
    gone += "cf" + hexed(TIME_MS + 5, bytes_=8) + "c405" + b"first".hex() + "c2"
    live = "98c410" + OTHER.hex() + "a4" + b"desk".hex() + "c420" + "02" * 32 + "c420" + "03" * 32 + time
    live += "00" + "c408" + b"recovery".hex() + "c3"
    expected = (
        b"coterie manifest".hex()
        + "0001"
        + "98"
        + "c420"
        + ACCOUNT.hex()
        + "a4"
        + "zoë".encode().hex()
        + "02"
        + "c420"
        + "07" * 32
        + "92"
        + gone
        + live
        + "c420"
        + "04" * 32
        + time
        + "c5"
        + hexed(2336, bytes_=2)
        + IDENTITY.pack().hex()
    )
    assert MANIFEST.pack().hex() == expected


PINNED: list[tuple[str, bytes, str]] = [
    ("account id", account_id(IDENTITY), "f0770b6732e42b02686b3515e4674146a8a5dcb5a4b06aa04a05bdcbbc69ac2b"),
    (
        "name hash",
        name_hash(UserName("zoë")),
        "95c4f119ad49e12dacc764e693b9eb70a1482707512782cc8cbe9691db5d853f",
    ),
    (
        "name hash of the server",
        SERVER_NAME_HASH,
        "3c44198009f65ca23bacd67f1a9f5d6c8115d90f496bf44da08dfe4346e0746e",
    ),
    ("ledger id", ledger_id(ACCOUNT, b"\x0a" * 16), "e6d08191f4c9d1ea3dad239967f759a3"),
    ("direct id", direct_id(ACCOUNT, AccountId(bytes(32))), "bbc44cfb70be2cc0b4c7e0e58aff18e2"),
    ("everyone id", everyone_id(LEDGER), "3ff1cfdbb4452b1623901d61830d1321"),
    (
        "membership hash",
        membership_hash(everyone_id(LEDGER)),
        "f68da5f00414e0355ae89d439f8e0469c226d111821c5a55b560e4ac6b759d1a",
    ),
    (
        "server statement",
        hashlib.sha256(STATEMENT.pack()).digest(),
        "1b43855934c19d4ac1c63c86d4211c924d4a3bd7cacde23572a399bd7a91ca6f",
    ),
    (
        "identity statement",
        hashlib.sha256(CHANGE.pack()).digest(),
        "104f172699c2c47b11797e5ce3a383f6b9d05f7f619f393854bdae4d99509db3",
    ),
    (
        "signed manifest",
        hashlib.sha256(SignedManifest(MANIFEST.pack(), b"\x0f" * 3693, OTHER, b"\x10" * 64).pack()).digest(),
        "d0a9a45420f58de464318f368469ac34439a13c4d02a704c9fb705eeffcd06ed",
    ),
    (
        "signed prekey",
        hashlib.sha256(SignedPrekey(PREKEY.pack(), b"\x11" * 64).pack()).digest(),
        "8aca289d81dfbec77567617310e0406aabd07b7a69bb01e1b51fafdf7a4919bc",
    ),
    (
        "signed statement",
        hashlib.sha256(SignedStatement(CHANGE.pack(), b"\x12" * 3693).pack()).digest(),
        "0c40071a622a9ff508092ef05ae91006d76bec9f292c5787fadd4f47fe9099ac",
    ),
]


@pytest.mark.parametrize(("found", "expected"), [row[1:] for row in PINNED], ids=[row[0] for row in PINNED])
def test_hashes_and_larger_formats(found: bytes, expected: str) -> None:
    assert found.hex() == expected


def test_every_domain_is_pinned() -> None:
    """A domain string is part of what was signed: none may change or stand for two things."""
    assert len({domain.value for domain in Domain}) == len(Domain)
    for domain in Domain:
        assert domain.value == "coterie " + domain.name.lower().replace("_", " ")
        assert domain.value.isascii()


def test_account_ids_are_independent_of_packing() -> None:
    whole = b"coterie account id\x00\x01" + (2336).to_bytes(4, "big") + IDENTITY.pack()
    assert account_id(IDENTITY) == hashlib.sha256(whole).digest()
    assert msgspec.msgpack.encode(IDENTITY.pack())[3:] == IDENTITY.rsa_modulus + IDENTITY.mldsa
