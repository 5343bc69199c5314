"""One's own account goes on under another identity: with this device, or without it (rules 8 and 20)."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base.codes import Code
from coterie.base.errors import SecurityStop
from coterie.base.ids import DeviceId
from coterie.base.signing import IdentityKeys
from coterie.client.commands import Disconnected, ReplaceIdentity
from coterie.client.events import (
    AccountChangeAnswered,
)
from coterie.client.following import follow
from coterie.client.store.records import Setting
from coterie.ledger.manifest import sign_manifest
from coterie.ledger.succession import heir_device, sign_heir, sign_succession
from coterie.wire.frames import LedgerGrew, Refusal, Succeed
from tests.attacks.heirs import VAULT, Registrar, follower, put, succeed, word_of
from tests.attacks.peers import NOW_MS, Peer
from tests.attacks.street import Server, Victim
from tests.attacks.test_manifests import grow


def test_the_own_account_does_not_go_on_without_this_device(
    bob: Victim, server: Server, identities: dict[str, IdentityKeys], mallory: Peer
) -> None:
    """Attack: whoever has another device of Bob's and its password takes his account. Rule 20: Bob's program
    stops, and says that his identity is another one."""
    thief = msgspec.structs.replace(mallory.entry(), id=DeviceId(b"t" * 16), approved_by=bob.device)
    bob.signed = bob.sign(bob.entry(), thief, after=bob.signed)
    grow(bob, server, bob.signed)
    heir = Peer(identities["carol"], bob.name)
    heir.device, heir.keys = heir_device(thief.id, heir.account), mallory.keys
    heir.signed = sign_heir(bob.signed, heir.identity, thief.id, mallory.keys, VAULT, NOW_MS)
    his = msgspec.structs.replace(heir.signed.manifest, devices=heir.signed.manifest.devices[:1])
    heir.signed = sign_manifest(his, heir.identity, heir.device, mallory.keys)
    word = sign_succession(bob.signed, heir.signed, bob.identity, thief.id, mallory.keys)
    with pytest.raises(SecurityStop) as stopped:
        succeed(bob, heir, word.pack())
    assert stopped.value.code is Code.IDENTITY_CHANGED


def test_whoever_goes_along_stops_where_the_next_identity_leaves_it_out(
    bob: Victim, server: Server, identities: dict[str, IdentityKeys], mallory: Peer
) -> None:
    """Attack: while Bob's program is closed his account goes on twice, the second time by a thief and without
    this device."""
    registrar = Registrar(server)
    bob.server = registrar
    first = follower(bob, identities["carol"])
    theirs = Peer(IdentityKeys.generate(), bob.name)
    manifest = msgspec.structs.replace(theirs.signed.manifest, seq=3, previous=first.signed.hash)
    theirs.signed = sign_manifest(manifest, theirs.identity, theirs.device, theirs.keys)
    for before, after in ((bob, first), (first, theirs)):
        registrar.peers[after.account] = after
        registrar.words[after.account] = word_of(before, after).pack()
        put(registrar, after)
    bob.frame(LedgerGrew(registrar.ledger.head()))
    assert bob.core.heir in (None, first.account)
    bob.core, told = follow(bob.store, bob.core, first.account, NOW_MS)
    assert told.account == first.account
    assert bob.store.setting(Setting.OWN_SECRET) is None
    with pytest.raises(SecurityStop) as stopped:
        bob.connect()
    assert stopped.value.code is Code.IDENTITY_CHANGED


def test_what_was_given_and_not_answered_is_given_again(
    bob: Victim, server: Server, identities: dict[str, IdentityKeys]
) -> None:
    """The server may have taken it: then it says `succeeded`, and the ledger says the rest."""
    vault = b"vault"
    command = ReplaceIdentity(b"c" * 16, bob.identity, identities["carol"], vault, b"a" * 32, b"r" * 32)
    bob.command(command)
    first = [frame for frame in server.got if isinstance(frame, Succeed)]
    bob.connect()
    given = [frame for frame in server.got if isinstance(frame, Succeed)]
    assert len(first) == 1
    assert [frame.manifest for frame in given] == [first[0].manifest] * 2
    bob.frame(Refusal(given[-1].request, Code.SUCCEEDED.value))
    assert bob.store.setting(Setting.PENDING_SUCCESSION) is not None
    assert not [event for event in bob.shown if isinstance(event, AccountChangeAnswered)]
    bob.connect()
    last = [frame for frame in server.got if isinstance(frame, Succeed)][-1]
    bob.frame(Refusal(last.request, Code.BAD_MANIFEST.value))
    assert bob.store.setting(Setting.PENDING_SUCCESSION) is None
    answered = [event for event in bob.shown if isinstance(event, AccountChangeAnswered)]
    assert [(each.change, each.code) for each in answered] == [(b"c" * 16, Code.BAD_MANIFEST)]


def test_what_may_not_be_said_to_somebody_now_is_not_said_again_by_itself(
    alice: Peer, bob: Victim, server: Server, identities: dict[str, IdentityKeys]
) -> None:
    """While Bob is away Alice has another identity, and so has he. What he had queued for her is shown as
    unsure, and never sealed for the other one."""
    bob.command(Disconnected(None, final=False))
    bob.say(alice, "queued")
    registrar = Registrar(server)
    bob.server = registrar
    hers, mine = follower(alice, identities["carol"]), follower(bob, IdentityKeys.generate())
    for before, after in ((alice, hers), (bob, mine)):
        registrar.peers[after.account] = after
        registrar.words[after.account] = word_of(before, after).pack()
        put(registrar, after)
    bob.connect()
    assert server.sends() == []
    bob.core, told = follow(bob.store, bob.core, mine.account, NOW_MS)
    assert [message.text for message in told.unsure] == ["queued"]
    assert list(bob.store.outbox_conversations()) == []
