"""A server that says that it was restored: what that may change, and what it may not (decision 0039)."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.conversations import direct_id
from coterie.base.errors import SecurityStop, Unavailable
from coterie.base.ids import LedgerId, MessageId
from coterie.client.commands import Connected, Say, Tick
from coterie.client.core import returning
from coterie.client.core.lives import Lives
from coterie.client.core.requests import VaultOffered
from coterie.client.core.switchboard import Switchboard
from coterie.client.events import NameWentBack, ServerRestored
from coterie.client.store.records import PutSetting, Setting
from coterie.content.body import Text
from coterie.e2ee.identity import Vault
from coterie.ledger.heads import Head, sign_head
from coterie.ledger.leaves import LedgerView
from coterie.ledger.manifest import SignedManifest
from coterie.ledger.statements import RestoreStatement, ServerStatement, SignedStatement, sign_statement
from coterie.wire.frames import (
    Accepted,
    ClientFrame,
    FetchAccounts,
    LedgerGrew,
    OfferManifests,
    OfferVault,
    Ready,
    Refusal,
    ServerFrame,
)
from tests.attacks.lying import STATEMENT
from tests.attacks.peers import EVERYONE, LEDGER, LEDGER_KEYS, LIFE, NOW_MS, SERVER, SERVER_KEYS, Peer
from tests.attacks.street import Ledger, Server, Victim
from tests.attacks.test_manifests import grow

NEW = LedgerId(b"n" * 16)
NEW_LIFE = b"j" * 16


class NewLedger(Ledger):
    """The one that the server began after a restore."""

    def __init__(self, ledger: LedgerId = NEW) -> None:
        super().__init__()
        self.view = LedgerView(follows=True)
        self._id = ledger

    def head(self) -> bytes:
        return sign_head(Head(self._id, self.view.size, self.view.root(), NOW_MS), LEDGER_KEYS).pack()


class Restored(Server):
    """Takes what is offered, or not."""

    takes = True

    def answer(self, frame: ClientFrame) -> ServerFrame | None:
        if isinstance(frame, OfferManifests):
            self.got.append(frame)
            for each in frame.accounts if self.takes else ():
                for packed in each.manifests:
                    self._take(SignedManifest.unpack(packed))
            return Accepted(frame.request, self.ledger.view.size)
        return super().answer(frame)

    def _take(self, signed: SignedManifest) -> None:
        found = self.ledger.view.newest_of_account(signed.manifest.account)
        if found is None or found[1].seq < signed.manifest.seq:
            self.ledger.add(signed)


def restore(bob: Victim, ledger: LedgerId = NEW, **changes: object) -> bytes:
    view = bob.core.trust.view
    said = RestoreStatement(
        server=SERVER,
        identity=SERVER,
        seq=1,
        old_ledger=LEDGER,
        old_size=max(1, view.size),
        old_root=view.root(),
        ledger=ledger,
        incarnation=NEW_LIFE,
        copied_ms=NOW_MS - limits.DAY_MS,
        time_ms=NOW_MS,
    )
    return sign_statement(msgspec.structs.replace(said, **changes), SERVER_KEYS).pack()


def statement(ledger: LedgerId = NEW, **changes: object) -> ServerStatement:
    said = ServerStatement.unpack(SignedStatement.unpack(STATEMENT.pack()).payload)
    return msgspec.structs.replace(said, **({"ledger": ledger, "incarnation": NEW_LIFE} | changes))


def hears(bob: Victim, said: ServerStatement, *restores: bytes) -> bool:
    """What bob's program does on a connection before it signs in; whether a new life began."""
    lives = Lives(bob.store, bob.core.profile, bob.core.people)
    life = lives.begun(said, restores, bob.core.trust.view, bob.now_ms)
    if life is None:
        return False
    bob.apply(*life.outcome.save)
    bob.shown += life.outcome.show
    bob.core = Switchboard(bob.store, life.profile)
    return True


def meets(bob: Victim, server: Server) -> None:
    """Sign in at a restored server, and let the time pass after which others are offered."""
    bob.server = server
    bob.shown.clear()
    head = server.ledger.head()
    bob.command(Connected(Ready(1, (), server.ledger.view.size, head, 0), NEW_LIFE, b""))
    bob.now_ms += 60_000
    bob.command(Tick())
    bob.frame(LedgerGrew(server.ledger.head()))


def offered(server: Server) -> set[bytes]:
    frames = [frame for frame in server.got if isinstance(frame, OfferManifests)]
    return {SignedManifest.unpack(each.manifests[-1]).hash for frame in frames for each in frame.accounts}


@pytest.fixture
def anew(alice: Peer, mallory: Peer, bob: Victim) -> Restored:
    made = Restored(NewLedger())
    for peer in (alice, mallory, bob):
        made.peers[peer.account] = peer
    return made


def test_whom_others_have_brought_back_wakes_nobody_for_ever(
    alice: Peer, mallory: Peer, bob: Victim, anew: Restored
) -> None:
    """The pause before they would be brought ends when nobody is missing any more."""
    assert hears(bob, statement(), restore(bob))
    for peer in (alice, mallory, bob):
        anew.ledger.add(peer.signed)
    meets(bob, anew)
    assert offered(anew) == {bob.signed.hash}
    wake_at_ms = bob.core.wake_at_ms()
    assert wake_at_ms is None or wake_at_ms > bob.now_ms


def test_everybody_known_is_brought_back(alice: Peer, mallory: Peer, bob: Victim, anew: Restored) -> None:
    assert hears(bob, statement(), restore(bob))
    assert ServerRestored(NOW_MS - limits.DAY_MS) in bob.shown
    meets(bob, anew)
    assert offered(anew) == {alice.signed.hash, mallory.signed.hash, bob.signed.hash}
    assert bob.core.trust.synced
    assert not bob.core.trust.returning.behind
    bob.say(alice, "as before")
    assert len(anew.sends()) == 1


def test_nothing_is_sealed_for_who_is_not_back(alice: Peer, bob: Victim, anew: Restored) -> None:
    """Attack: a server keeps somebody's manifest out, so that others write by what they remember of it."""
    anew.takes = False
    hears(bob, statement(), restore(bob))
    meets(bob, anew)
    bob.say(alice, "waits")
    assert anew.sends() == []


def revoke(alice: Peer) -> SignedManifest:
    """Alice's next manifest."""
    before = alice.signed
    alice.signed = alice.sign(alice.entry(), after=before)
    return before


def test_a_name_does_not_go_backwards_by_a_restore(
    alice: Peer, bob: Victim, server: Server, anew: Restored
) -> None:
    """Attack: a server says that it was restored, to be rid of the manifest by which alice revoked a device.
    What bob knows of her stays, nothing is sent to her, and bob is told; others go on."""
    before = revoke(alice)
    grow(bob, server, alice.signed)
    anew.ledger.add(before)
    anew.takes = False
    hears(bob, statement(), restore(bob))
    meets(bob, anew)
    row = bob.core.people.rows[alice.account]
    assert SignedManifest.unpack(row.manifest).hash == alice.signed.hash
    assert [each.person.name for each in bob.shown if isinstance(each, NameWentBack)] == ["alice"]
    with pytest.raises(SecurityStop) as stop:
        bob.command(Say(direct_id(bob.account, alice.account), alice.account, message_id(), Text("never")))
    assert stop.value.code is Code.LEDGER_SPLIT
    assert anew.sends() == []


def message_id() -> MessageId:
    return MessageId(b"m" * 16)


def test_an_older_manifest_that_nobody_asked_for_is_not_taken(
    alice: Peer, bob: Victim, server: Server, anew: Restored
) -> None:
    """Attack: the same, and the server answers with the older manifest, which is true and in its ledger."""
    before = revoke(alice)
    newest = alice.signed
    grow(bob, server, newest)
    anew.ledger.add(before)
    anew.takes = False
    hears(bob, statement(), restore(bob))
    meets(bob, anew)
    alice.signed = before
    bob._turn(lambda: iter((bob.core.trust.renew(alice.account, bob.now_ms),)))
    assert isinstance(anew.got[-1], FetchAccounts)
    row = bob.core.people.rows[alice.account]
    assert SignedManifest.unpack(row.manifest).hash == newest.hash


def test_who_was_behind_comes_forward(alice: Peer, bob: Victim, server: Server, anew: Restored) -> None:
    """Somebody who had been away has brought an older one before: nobody is accused."""
    before = revoke(alice)
    grow(bob, server, alice.signed)
    anew.ledger.add(before)
    hears(bob, statement(), restore(bob))
    meets(bob, anew)
    assert bob.core.trust.synced
    assert not [each for each in bob.shown if isinstance(each, NameWentBack)]
    bob.say(alice, "as before")
    assert len(anew.sends()) == 1


def test_another_manifest_of_a_number_that_is_known_is_told(
    alice: Peer, bob: Victim, server: Server, anew: Restored
) -> None:
    """Attack: a stolen device of alice's signs another list, in a ledger that has forgotten hers."""
    before = revoke(alice)
    grow(bob, server, alice.signed)
    other = alice.sign(alice.entry(), after=before)
    fork = msgspec.structs.replace(other.manifest, time_ms=other.manifest.time_ms + 1)
    anew.ledger.add(SignedManifest(fork.pack(), b"r" * 3693, other.cosigner, other.device_signature))
    hears(bob, statement(), restore(bob))
    meets(bob, anew)
    assert [each.person.name for each in bob.shown if isinstance(each, NameWentBack)] == ["alice"]


def test_a_second_one_within_a_day_is_not_believed(bob: Victim) -> None:
    """Attack: a server lets people forget as often as it likes."""
    hears(bob, statement(), restore(bob))
    other = LedgerId(b"o" * 16)
    for late in (limits.HOUR_MS, -limits.HOUR_MS):
        bob.now_ms = NOW_MS + late
        with pytest.raises(SecurityStop) as stop:
            hears(bob, statement(other), restore(bob, other))
        assert stop.value.code is Code.LEDGER_SPLIT
    bob.now_ms = NOW_MS + limits.DAY_MS
    assert hears(bob, statement(other), restore(bob, other))


def test_two_at_once_are_a_day_apart(bob: Victim) -> None:
    """Attack: the same, to somebody who was away."""
    other = LedgerId(b"o" * 16)
    for apart, believed in ((limits.DAY_MS - 1, False), (limits.DAY_MS, True)):
        second = restore(bob, other, old_ledger=NEW, seq=2, time_ms=NOW_MS + apart)
        if believed:
            assert hears(bob, statement(other), restore(bob), second)
        else:
            with pytest.raises(SecurityStop):
                hears(bob, statement(other), restore(bob), second)


def test_a_past_that_was_not_shown_here_is_a_stop(bob: Victim) -> None:
    """Attack: the copy has another ledger than the one that bob was shown."""
    with pytest.raises(SecurityStop) as stop:
        hears(bob, statement(), restore(bob, old_root=b"x" * 32))
    assert stop.value.code is Code.LEDGER_SPLIT


def test_a_ledger_that_was_left_does_not_come_back(bob: Victim) -> None:
    """Attack: once people have gone along, the server goes on in the ledger before."""
    hears(bob, statement(), restore(bob))
    bob.now_ms += 2 * limits.DAY_MS
    with pytest.raises(Unavailable):
        hears(bob, statement(LEDGER, incarnation=LIFE))


def test_another_incarnation_needs_another_ledger(bob: Victim) -> None:
    """Attack: positions begin anew, and with them seqs that hide what came before."""
    assert not hears(bob, statement(LEDGER, incarnation=LIFE))
    with pytest.raises(SecurityStop):
        hears(bob, statement(LEDGER))


def test_another_first_ledger_is_another_server(bob: Victim) -> None:
    with pytest.raises(SecurityStop) as stop:
        hears(bob, statement(founding_ledger=NEW), restore(bob))
    assert stop.value.code is Code.IDENTITY_CHANGED


class Deaf(Restored):
    """Refuses what is offered."""

    def answer(self, frame: ClientFrame) -> ServerFrame | None:
        if isinstance(frame, OfferManifests | OfferVault):
            self.got.append(frame)
            return Refusal(frame.request, Code.STALE_MANIFEST.value)
        return super().answer(frame)


def test_where_offers_are_refused_others_go_on(alice: Peer, mallory: Peer, bob: Victim) -> None:
    """What is not taken is not waited for: in everyone those are written to who stand in the ledger."""
    deaf = Deaf(NewLedger())
    for peer in (alice, mallory, bob):
        deaf.peers[peer.account] = peer
    for peer in (mallory, bob):
        deaf.ledger.add(peer.signed)
    vault = Vault(b"r" * 16, (), (b"v" * 16,)).pack()
    bob.signed = bob.sign(bob.entry())
    bob.apply(PutSetting(Setting.VAULT, vault))
    hears(bob, statement(), restore(bob))
    meets(bob, deaf)
    assert bob.core.trust.returning.behind == {alice.account}
    assert bob.core.trust.synced
    bob.command(Say(EVERYONE, b"", message_id(), Text("to who is there")))
    assert len(deaf.sends()) == 1
    assert deaf.items_for(alice) == []
    assert deaf.items_for(mallory)


def test_who_never_stood_in_the_ledger_before_is_brought_without_a_proof(
    alice: Peer, bob: Victim, anew: Restored
) -> None:
    hears(bob, statement(), restore(bob))
    bob.store.begin()
    bob.store._database.execute("DELETE FROM old_leaf")
    bob.store.commit()
    meets(bob, anew)
    (frame, *_) = (each for each in anew.got if isinstance(each, OfferManifests))
    assert (frame.accounts[0].leaf, frame.accounts[0].path) == (b"", ())


def test_offers_go_in_frames_of_bounded_size(
    bob: Victim, anew: Restored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OFFERED_BYTES", 10_000)
    hears(bob, statement(), restore(bob))
    meets(bob, anew)
    frames = [each for each in anew.got if isinstance(each, OfferManifests)]
    assert [len(each.accounts) for each in frames] == [1, 1, 1]


def test_of_a_long_past_the_newest_part_is_brought(
    alice: Peer, bob: Victim, server: Server, anew: Restored, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        revoke(alice)
        grow(bob, server, alice.signed)
    assert [each.seq for each in bob.store.past(alice.account)] == [1, 2, 3]
    monkeypatch.setattr(returning, "PAST_MOST", 3)
    hears(bob, statement(), restore(bob))
    meets(bob, anew)
    frames = [each for frame in anew.got if isinstance(frame, OfferManifests) for each in frame.accounts]
    seqs = [tuple(SignedManifest.unpack(each).manifest.seq for each in one.manifests) for one in frames]
    assert (2, 3, 4) in seqs


def test_a_vault_that_the_server_does_not_want_is_offered_no_more(bob: Victim) -> None:
    """It has another one by now, from another device."""
    bob.apply(PutSetting(Setting.VAULT_DUE, b"1"))
    request = bob.core.requests.new(VaultOffered(), NOW_MS)
    bob.frame(Refusal(request, Code.STALE_MANIFEST.value))
    assert bob.store.setting(Setting.VAULT_DUE) is None
