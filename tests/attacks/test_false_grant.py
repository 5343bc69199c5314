"""Whoever agrees gives a new device something else than its account: it stops (encryption rule 8)."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base.errors import RemoteError, SecurityStop
from coterie.base.ids import UserName
from coterie.client.api.joining import _checked
from coterie.e2ee.approval import Granted
from coterie.e2ee.identity import AccountSecret, Vault, vault_hash
from coterie.e2ee.pairwise import Party
from coterie.ledger.manifest import sign_manifest
from tests.attacks.peers import Peer

NAME = UserName("alice")
VAULT = Vault(b"r" * 16, (), ()).pack()


def granted(alice: Peer, **changes: bytes) -> Granted:
    """What an honest device gives."""
    manifest = msgspec.structs.replace(alice.signed.manifest, vault_hash=vault_hash(VAULT))
    signed = sign_manifest(manifest, alice.identity, alice.device, alice.keys)
    honest = Granted(AccountSecret(alice.identity, bytes(32)).pack(), signed.pack(), VAULT)
    return msgspec.structs.replace(honest, **changes)


def test_an_honest_one_is_taken_with_and_without_the_vault(alice: Peer) -> None:
    account = _checked(granted(alice), alice.party, NAME)
    assert (account.random, account.vault) == (b"r" * 16, VAULT)
    without = _checked(granted(alice, vault=b""), alice.party, NAME)
    assert len(without.random) == 16
    assert without.vault == b""


@pytest.mark.parametrize("what", ["secret", "manifest", "vault"])
def test_damaged_parts_stop_it(alice: Peer, what: str) -> None:
    with pytest.raises((SecurityStop, RemoteError)):
        _checked(granted(alice, **{what: b"damaged"}), alice.party, NAME)


def test_the_secret_of_another_account_stops_it(alice: Peer, mallory: Peer) -> None:
    """Attack: the device becomes one of an account whose keys its person does not hold."""
    false = AccountSecret(mallory.identity, bytes(32)).pack()
    with pytest.raises(SecurityStop):
        _checked(granted(alice, secret=false), alice.party, NAME)


def test_another_account_than_the_one_whose_device_was_compared_stops_it(alice: Peer, mallory: Peer) -> None:
    with pytest.raises(SecurityStop):
        _checked(granted(mallory), alice.party, NAME)
    with pytest.raises(SecurityStop):
        _checked(granted(alice), alice.party, UserName("bob"))


def test_a_device_that_the_account_does_not_have_approves_nothing(alice: Peer, mallory: Peer) -> None:
    """Attack: a device of another account agrees, with the manifest of this one."""
    party = Party(alice.account, mallory.device, mallory.keys.ed25519)
    with pytest.raises(SecurityStop):
        _checked(granted(alice), party, NAME)
    with pytest.raises(SecurityStop):
        _checked(granted(alice), Party(alice.account, alice.device, mallory.keys.ed25519), NAME)


def test_a_revoked_device_approves_nothing(alice: Peer) -> None:
    manifest = alice.signed.manifest
    revoked = msgspec.structs.replace(manifest, devices=(manifest.devices[0].revoked(5),))
    signed = sign_manifest(revoked, alice.identity, alice.device, alice.keys)
    with pytest.raises(SecurityStop):
        _checked(granted(alice, manifest=signed.pack(), vault=b""), alice.party, NAME)


def test_another_vault_than_the_manifests_stops_it(alice: Peer) -> None:
    """Attack: an old vault, in which an old password still opens the account."""
    with pytest.raises(SecurityStop):
        _checked(granted(alice, vault=Vault(b"x" * 16, (), ()).pack()), alice.party, NAME)
