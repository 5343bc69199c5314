"""Fresh X-Wing keys in hostile hands: made wrong, borrowed; and sessions without end (rules 11, 12)."""

from __future__ import annotations

import secrets

import pytest

from coterie.base import limits
from coterie.base.conversations import direct_id
from coterie.base.ids import AccountId, DeviceId, EnvelopeId, UserName
from coterie.client.commands import Tick
from coterie.client.core.fresh_keys import FIRST_ID, LAST_ID
from coterie.client.core.sharing import SessionKeyAt
from coterie.client.events import ConversationKind
from coterie.client.store.records import (
    AccountRow,
    ConversationRow,
    OwnFreshKey,
    PassFreshKeys,
    PeerDevice,
    WaitingReason,
)
from coterie.e2ee import hybrid
from coterie.e2ee.hybrid import XWingKey
from coterie.e2ee.pairwise import FreshKey, PlainKind, peek_prekey_id, seal_envelope
from coterie.e2ee.vodo import GroupOut, OlmSession
from coterie.wire.frames.accounts import ClaimedKeys
from tests.attacks.peers import EVERYONE, X_WING_ID, Peer, Posted
from tests.attacks.street import Victim

FRESH = XWingKey.generate()


def posted(
    sender: Peer,
    olm: OlmSession,
    victim: Victim,
    fresh: FreshKey | None,
    seal_to: tuple[int, bytes] | None = None,
) -> Posted:
    """A key share with a fresh key of the test's choice."""
    id = EnvelopeId(secrets.token_bytes(16))
    content = sender.share_of(GroupOut.create(), direct_id(sender.account, victim.account)).pack()
    key = seal_to or (X_WING_ID, victim.x_wing.public)
    sealed = seal_envelope(
        olm, sender.party, victim.party, id, PlainKind.KEY_SHARE, content, *key, fresh_key=fresh
    )
    return Posted(sender, id, sealed)


def begun(sender: Peer, victim: Victim) -> OlmSession:
    return sender.keys.start(victim.keys.curve25519, victim.one_time_key())


@pytest.mark.parametrize(
    "fresh",
    [
        FreshKey(X_WING_ID, FRESH.public),
        FreshKey(FIRST_ID - 1, FRESH.public),
        FreshKey(FIRST_ID, bytes(hybrid.PUBLIC_BYTES)),
        FreshKey(FIRST_ID, b"\xff" * hybrid.PUBLIC_BYTES),
    ],
    ids=["id of a signed prekey", "id just below", "low order", "out of range"],
)
def test_a_fresh_key_that_is_none(mallory: Peer, bob: Victim, fresh: FreshKey) -> None:
    """Attack: a key under which nothing can be sealed, to stop bob's program whenever it wants to answer."""
    bob.mail(posted(mallory, begun(mallory, bob), bob, fresh))
    assert [row.reason for row in bob.waiting()] == [WaitingReason.BROKEN]
    assert bob.store.peer_fresh_key(mallory.device) is None
    assert bob.store.olm_sessions(mallory.device) == []
    bob.say(mallory, "an answer")
    (sealed,) = bob.server.items_for(mallory)
    assert peek_prekey_id(sealed) == X_WING_ID


def test_the_highest_id_ends_the_count(mallory: Peer, bob: Victim) -> None:
    """Attack: an id after which none can come. Only mallory's own keys stand still by it."""
    olm = begun(mallory, bob)
    bob.mail(posted(mallory, olm, bob, FreshKey(LAST_ID, FRESH.public)))
    bob.mail(posted(mallory, olm, bob, FreshKey(FIRST_ID, XWingKey.generate().public)))
    assert bob.waiting() == []
    known = bob.store.peer_fresh_key(mallory.device)
    assert known is not None
    assert (known.id, known.key) == (LAST_ID, FRESH.public)
    bob.say(mallory, "an answer")
    assert peek_prekey_id(bob.server.items_for(mallory)[-1]) == LAST_ID


def test_a_key_given_to_another_device_opens_nothing(alice: Peer, mallory: Peer, bob: Victim) -> None:
    """Attack: mallory seals to the key that bob gave alice alone, and make him drop older ones by it."""
    given = [OwnFreshKey(FIRST_ID + n, alice.device, FRESH.private, bob.now_ms, 0) for n in range(2)]
    bob.apply(*given)
    bob.mail(posted(mallory, begun(mallory, bob), bob, None, (FIRST_ID + 1, FRESH.public)))
    assert [row.reason for row in bob.waiting()] == [WaitingReason.BROKEN]
    assert [bob.store.own_fresh_key(each.id) for each in given] == given
    bob.mail(posted(alice, begun(alice, bob), bob, None, (FIRST_ID + 1, FRESH.public)))
    assert bob.store.fresh_keys_unpassed(alice.device) == (1, given[1].made_ms)
    assert bob.store.own_fresh_key(FIRST_ID + 1) == given[1]


def ready(bob: Victim) -> tuple[int, bytes]:
    """Id and public half of the newest fresh key that bob has made."""
    row = bob.store.own_fresh_key(bob.store.newest_fresh_id())
    assert row is not None
    return row.id, XWingKey.from_private(row.private).public


def test_a_key_that_is_ready_opens_for_nobody_else(alice: Peer, mallory: Peer, bob: Victim) -> None:
    """Attack: the same while bob has just made the key, and holds it ready."""
    bob.say(alice, "hello")
    seal_to = ready(bob)
    assert bob.core.keyring.fresh_key(alice.device, seal_to[0]) is not None
    mallory_olm, alice_olm = begun(mallory, bob), begun(alice, bob)
    bob.mail(posted(alice, alice_olm, bob, None, seal_to))
    assert bob.waiting() == []
    bob.mail(posted(mallory, mallory_olm, bob, None, seal_to))
    assert [row.reason for row in bob.waiting()] == [WaitingReason.BROKEN]


def test_a_key_that_is_ready_goes_with_its_row(alice: Peer, bob: Victim) -> None:
    """Attack: a thief takes the device and what was sealed to it a month ago (rule 12)."""
    bob.say(alice, "hello")
    id, public = ready(bob)
    bob.apply(PassFreshKeys(alice.device, id + 1, bob.now_ms))
    bob.now_ms += limits.PREKEY_KEEP_MS + 1
    bob.command(Tick())
    assert (bob.store.own_fresh_key(id), bob.core.keyring.fresh_key(alice.device, id)) == (None, None)
    bob.mail(posted(alice, begun(alice, bob), bob, None, (id, public)))
    assert [row.reason for row in bob.waiting()] == [WaitingReason.BROKEN]


def test_a_new_session_forgets_the_fresh_key(mallory: Peer, bob: Victim) -> None:
    """Whoever begins anew may have lost what it had."""
    bob.mail(posted(mallory, begun(mallory, bob), bob, FreshKey(FIRST_ID, FRESH.public)))
    bob.mail(posted(mallory, begun(mallory, bob), bob, None))
    bob.say(mallory, "an answer")
    assert peek_prekey_id(bob.server.items_for(mallory)[-1]) == X_WING_ID


def test_a_session_that_came_while_keys_were_claimed_is_sealed_on(
    mallory: Peer, bob: Victim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both begin at once: one session is enough, and its fresh key counts."""

    def meanwhile(peer: Peer) -> ClaimedKeys:
        bob.mail(posted(mallory, begun(mallory, bob), bob, FreshKey(FIRST_ID, FRESH.public)))
        return peer.claimed()

    monkeypatch.setattr(bob.server, "claimed", meanwhile)
    bob.say(mallory, "hello")
    assert len(bob.store.olm_sessions(mallory.device)) == 1
    assert peek_prekey_id(bob.server.items_for(mallory)[-1]) == FIRST_ID


def test_five_sessions_to_a_device(mallory: Peer, bob: Victim) -> None:
    """Attack: sessions without end, and what the first one said is played again under a new envelope id. The
    one that received longest ago goes; its id stays known, so that the replay is refused."""
    fallback = bob.fallback_key()
    pickles, ids = [], []
    for n in range(limits.OLM_SESSIONS_PER_DEVICE + 2):
        olm = mallory.keys.start(bob.keys.curve25519, fallback)
        pickles.append(olm.pickle(b"k" * 32))
        ids.append(olm.id)
        bob.now_ms -= 1000 * n
        bob.mail(posted(mallory, olm, bob, None))
    assert [row.session for row in bob.store.olm_sessions(mallory.device)] == ids[:1:-1]
    assert all(bob.store.olm_known(id) for id in ids)
    assert bob.waiting() == []
    for n in range(2):
        replayed = OlmSession.from_pickle(pickles[n], b"k" * 32)
        bob.mail(posted(mallory, replayed, bob, None))
    assert [row.reason for row in bob.waiting()] == [WaitingReason.BROKEN] * 2
    assert [row.session for row in bob.store.olm_sessions(mallory.device)] == ids[:1:-1]


def test_the_session_that_last_received_is_sent_on(mallory: Peer, bob: Victim) -> None:
    """Also where the clock was put back, or two received in one millisecond."""
    sessions = [begun(mallory, bob) for _ in range(3)]
    for olm in sessions:
        bob.mail(posted(mallory, olm, bob, None))
    bob.now_ms -= limits.HOUR_MS
    for olm in (sessions[1], sessions[0]):
        bob.mail(posted(mallory, olm, bob, None))
        assert bob.store.olm_sessions(mallory.device)[0].session == olm.id
    sixth = [begun(mallory, bob) for _ in range(3)]
    for olm in sixth:
        bob.mail(posted(mallory, olm, bob, None))
    kept = {row.session for row in bob.store.olm_sessions(mallory.device)}
    assert kept == {each.id for each in (sessions[0], sessions[1], *sixth)}


@pytest.mark.parametrize("count", [limits.ROTATE_SMALL_DEVICES, limits.ROTATE_SMALL_DEVICES + 1])
def test_only_small_rooms_carry_fresh_keys(mallory: Peer, bob: Victim, count: int) -> None:
    """They weigh 1.2 KB an envelope: above fifty devices there are none in everyone, and always in direct."""
    bob.say(mallory, "hello")
    everyone = ConversationRow(EVERYONE, ConversationKind.EVERYONE, b"")
    direct = ConversationRow(
        direct_id(bob.account, mallory.account), ConversationKind.DIRECT, mallory.account
    )
    there = len(bob.core.people.recipients(everyone))
    crowd = AccountId(b"c" * 32)
    devices = tuple(
        PeerDevice(DeviceId(n.to_bytes(16, "big")), crowd, "", b"", b"", 0, 0, b"", False)
        for n in range(count - there)
    )
    bob.apply(AccountRow(crowd, UserName("crowd"), 1, b"", devices))
    bob.core.people.forget()
    assert len(bob.core.people.recipients(everyone)) == count
    device = bob.core.people.device_of(mallory.account, mallory.device)
    assert device is not None
    out = GroupOut.create()
    key = SessionKeyAt(out.id, 0, out.session_key(), b"", 0, b"")
    bob.now_ms += 1
    for conversation, carries in ((everyone, count == limits.ROTATE_SMALL_DEVICES), (direct, True)):
        shared = bob.core._sharing.share(conversation, (key,), [device], bob.now_ms)
        assert len(shared.envelopes) == 1
        assert any(isinstance(record, OwnFreshKey) for record in shared.save) == carries
        assert (len(shared.envelopes[0].sealed) > hybrid.PUBLIC_BYTES + 1500) == carries


def test_each_device_gets_a_key_of_its_own(alice: Peer, mallory: Peer, bob: Victim) -> None:
    """Also where one step seals to many."""
    for peer in (alice, mallory):
        bob.say(peer, "hello")
    found = [bob.core.people.device_of(peer.account, peer.device) for peer in (alice, mallory)]
    devices = [device for device in found if device is not None]
    everyone = ConversationRow(EVERYONE, ConversationKind.EVERYONE, b"")
    out = GroupOut.create()
    key = SessionKeyAt(out.id, 0, out.session_key(), b"", 0, b"")
    bob.now_ms += 1
    shared = bob.core._sharing.share(everyone, (key,), devices, bob.now_ms)
    own = [record for record in shared.save if isinstance(record, OwnFreshKey)]
    assert {(record.id, record.device) for record in own} == {
        (bob.store.newest_fresh_id() + 1, alice.device),
        (bob.store.newest_fresh_id() + 2, mallory.device),
    }


def test_a_turn_gives_a_device_one_key(mallory: Peer, bob: Victim) -> None:
    """Where it gives several sessions: mallory would seal to the newest alone. One that was not kept does not
    count."""
    bob.say(mallory, "hello")
    device = bob.core.people.device_of(mallory.account, mallory.device)
    talk = bob.store.conversation(direct_id(bob.account, mallory.account))
    assert device is not None
    assert talk is not None

    def given() -> list[OwnFreshKey]:
        out = GroupOut.create()
        key = SessionKeyAt(out.id, 0, out.session_key(), b"", 0, b"")
        shared = bob.core._sharing.share(talk, (key,), [device], bob.now_ms)
        own = [record for record in shared.save if isinstance(record, OwnFreshKey)]
        assert (len(shared.envelopes[0].sealed) > hybrid.PUBLIC_BYTES + 1500) == bool(own)
        bob.store.begin()
        bob.store.apply(shared.save)
        return own

    bob.now_ms += 1
    assert len(given()) == 1
    bob.store.rollback()
    assert len(given()) == 1
    bob.store.commit()
    assert given() == []
    bob.store.commit()
    bob.now_ms += 1
    assert len(given()) == 1
    bob.store.commit()


def test_a_sixth_session_begun_here_ends_one_too(mallory: Peer, bob: Victim) -> None:
    sessions = [begun(mallory, bob) for _ in range(limits.OLM_SESSIONS_PER_DEVICE)]
    for olm in sessions:
        bob.mail(posted(mallory, olm, bob, None))
    device = bob.core.people.device_of(mallory.account, mallory.device)
    assert device is not None
    bob.apply(*bob.core._sharing.start(device, mallory.claimed(), bob.now_ms))
    kept = [row.session for row in bob.store.olm_sessions(mallory.device)]
    assert kept[1:] == [olm.id for olm in sessions[:0:-1]]
    assert kept[0] not in {olm.id for olm in sessions}
