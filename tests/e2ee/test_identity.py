"""The account secret under its keys, and the vaults that a lying server may hand out."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import LocalError, SealBroken
from coterie.base.ids import AccountId
from coterie.base.signing import account_id, verify_identity
from coterie.e2ee import identity
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
from tests.e2ee.pair import forgeries

KEYS = {kind: bytes((kind,)) * 32 for kind in WrapKind}
RANDOM = bytes(range(16))


@pytest.fixture(scope="module")
def secret() -> AccountSecret:
    return AccountSecret.generate()


@pytest.fixture(scope="module")
def account(secret: AccountSecret) -> AccountId:
    return account_id(secret.identity.public)


@pytest.fixture(scope="module")
def vault(secret: AccountSecret, account: AccountId) -> Vault:
    wrapped = tuple(wrap_secret(secret, key, kind, account, RANDOM) for kind, key in KEYS.items())
    return Vault(RANDOM, wrapped, (verifier_id(b"auth" * 8),))


def test_the_secret_comes_back_as_it_was(secret: AccountSecret) -> None:
    again = AccountSecret.unpack(secret.pack())
    assert again.archive_key == secret.archive_key
    verify_identity(secret.identity.public, b"message", again.identity.sign(b"message"))


@pytest.mark.parametrize("kind", WrapKind)
def test_each_key_opens_what_was_wrapped_by_it(
    kind: WrapKind, vault: Vault, secret: AccountSecret, account: AccountId
) -> None:
    stored = Vault.unpack(vault.pack())
    assert open_secret(stored, kind, KEYS[kind], account).archive_key == secret.archive_key
    for other in WrapKind:
        if other is not kind:
            with pytest.raises(SealBroken):
                open_secret(stored, other, KEYS[kind], account)


def test_nothing_opens_for_another_key_account_or_random_part(vault: Vault, account: AccountId) -> None:
    kind = WrapKind.RECOVERY
    with pytest.raises(SealBroken):
        open_secret(vault, kind, bytes(32), account)
    with pytest.raises(SealBroken):
        open_secret(vault, kind, KEYS[kind], AccountId(bytes(32)))
    with pytest.raises(SealBroken):
        open_secret(msgspec.structs.replace(vault, random=bytes(16)), kind, KEYS[kind], account)
    with pytest.raises(SealBroken):
        open_secret(Vault(RANDOM, (), ()), kind, KEYS[kind], account)


def test_a_wrapped_secret_cannot_change_its_kind(vault: Vault, account: AccountId) -> None:
    """Else a server could have a password's wrapping taken for a passphrase's."""
    wrapped = next(each for each in vault.wrapped if each.kind == WrapKind.PASSWORD)
    renamed = Vault(RANDOM, (msgspec.structs.replace(wrapped, kind=int(WrapKind.PASSPHRASE)),), ())
    with pytest.raises(SealBroken):
        open_secret(renamed, WrapKind.PASSPHRASE, KEYS[WrapKind.PASSWORD], account)


def test_forged_wrappings_are_passed_over_for_the_genuine_one(vault: Vault, account: AccountId) -> None:
    kind = WrapKind.PASSPHRASE
    genuine = next(each for each in vault.wrapped if each.kind == kind)
    for ciphertext in forgeries(genuine.ciphertext, 60):
        forged = msgspec.structs.replace(genuine, ciphertext=ciphertext)
        with pytest.raises(SealBroken):
            open_secret(Vault(RANDOM, (forged,), ()), kind, KEYS[kind], account)
    forged = msgspec.structs.replace(genuine, nonce=bytes(12))
    newer = Wrapped(200, bytes(12), b"of a newer version")
    opened = open_secret(Vault(RANDOM, (newer, forged, genuine), ()), kind, KEYS[kind], account)
    assert account_id(opened.identity.public) == account


def test_a_server_that_knows_the_key_cannot_put_its_own_identity_there(
    vault: Vault, account: AccountId
) -> None:
    """A guessed password would let it wrap: the identity inside must still be the account's."""
    key = KEYS[WrapKind.PASSWORD]
    false = AccountSecret.generate()
    with pytest.raises(LocalError):
        wrap_secret(false, key, WrapKind.PASSWORD, account, RANDOM)
    honest = next(each for each in vault.wrapped if each.kind == WrapKind.PASSWORD)
    bound = identity._bound_to(WrapKind.PASSWORD, account, RANDOM)
    ciphertext = identity._cipher(key).encrypt(honest.nonce, false.pack(), bound)
    lying = Vault(RANDOM, (Wrapped(int(WrapKind.PASSWORD), honest.nonce, ciphertext),), ())
    with pytest.raises(SealBroken, match="another account"):
        open_secret(lying, WrapKind.PASSWORD, key, account)


def test_keys_have_their_size(secret: AccountSecret, vault: Vault, account: AccountId) -> None:
    with pytest.raises(LocalError):
        wrap_secret(secret, bytes(16), WrapKind.PASSWORD, account, RANDOM)
    with pytest.raises(LocalError):
        open_secret(vault, WrapKind.PASSWORD, bytes(16), account)


def test_two_wrappings_never_share_a_nonce(secret: AccountSecret, account: AccountId) -> None:
    nonces = {wrap_secret(secret, bytes(32), WrapKind.RECOVERY, account, RANDOM).nonce for _ in range(20)}
    assert len(nonces) == 20


def test_the_hash_is_over_the_bytes_as_stored(vault: Vault) -> None:
    packed = vault.pack()
    assert vault_hash(packed) == hashlib.sha256(packed).digest()
    assert vault_hash(Vault.unpack(packed).pack()) == vault_hash(packed)
    assert len(packed) < 12_000


def test_a_vault_beyond_the_limit_is_not_packed() -> None:
    wrapped = Wrapped(1, bytes(12), bytes(16 * 1024))
    with pytest.raises(LocalError) as refused:
        Vault(RANDOM, (wrapped,) * 5, ()).pack()
    assert refused.value.code is Code.TOO_LARGE
    assert len(Vault(RANDOM, (wrapped,) * 3, ()).pack()) <= limits.VAULT_BYTES


def test_verifier_ids_name_a_key_and_do_not_contain_it() -> None:
    assert verifier_id(b"a" * 32) != verifier_id(b"b" * 32)
    assert len(verifier_id(b"a" * 32)) == 16


def test_the_secret_does_not_show(secret: AccountSecret) -> None:
    assert repr(secret) == "<AccountSecret>"
