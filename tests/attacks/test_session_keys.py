"""Squatted session ids, altered exports, rolled-back sending sessions (encryption rules 13, 15, 27)."""

from __future__ import annotations

import base64
from dataclasses import replace

import msgspec

from coterie.base.conversations import direct_id
from coterie.base.ids import SessionId
from coterie.client.store.records import Setting
from coterie.e2ee.group import InnerMessage, KeyShare, KeyShares
from coterie.e2ee.pairwise import PlainKind
from coterie.e2ee.vodo import SESSION_KEY_CHARACTERS, GroupIn, GroupOut
from tests.attacks.peers import EVERYONE, Peer
from tests.attacks.street import Victim, with_key


def test_a_squatted_session_id_keeps_nobodys_key_out(alice: Peer, mallory: Peer, bob: Victim) -> None:
    """Attack: Mallory, a member, forwards Alice's session key as a session of her own, before Alice's own
    share comes. Rule 13: sessions stand under (conversation, account, device, session)."""
    out = GroupOut.create()
    with_key(mallory, bob, EVERYONE, out)
    with_key(alice, bob, EVERYONE, out)
    bob.log(alice.message(out, EVERYONE, "mine"))
    assert bob.texts(EVERYONE) == [("alice", "mine")]


def test_a_squatted_session_gives_nobody_anothers_words(alice: Peer, mallory: Peer, bob: Victim) -> None:
    """Attack: Mallory has Alice's session key and the server; Alice's message is delivered as Mallory's. Rule
    14: account and device stand inside."""
    out = GroupOut.create()
    with_key(mallory, bob, EVERYONE, out)
    said = alice.message(out, EVERYONE, "alice's words")
    bob.log(replace(said, sender=mallory))
    assert bob.texts(EVERYONE) == []


def test_a_session_is_never_replaced(alice: Peer, bob: Victim) -> None:
    """Attack: a second share of a session that begins later, so that what came before cannot be opened any
    more. Rule 13: the key that came first stays."""
    out = with_key(alice, bob, EVERYONE)
    first = alice.message(out, EVERYONE, "first")
    with_key(alice, bob, EVERYONE, out)
    bob.core.keyring.forget()
    bob.log(first)
    assert bob.texts(EVERYONE) == [("alice", "first")]


def share_with(alice: Peer, bob: Victim, share: KeyShare) -> None:
    olm = alice.keys.start(bob.keys.curve25519, bob.one_time_key())
    bob.mail(alice.envelope(olm, bob, share.pack()))


def test_an_altered_export_is_no_share(mallory: Peer, bob: Victim) -> None:
    """Attack: an exported session key carries no signature, and imports under the same id whatever its
    ratchet is; Mallory hands one on, filled up to the length of a session key. Rule 16: exports are
    accepted from nobody."""
    out = GroupOut.create()
    exported = base64.b64decode(GroupIn.from_session_key(out.session_key()).export_at(0) + b"===")
    altered = exported[:10] + bytes(64) + exported[74:]
    key = base64.b64encode(altered).rstrip(b"=").ljust(SESSION_KEY_CHARACTERS, b"A")
    assert GroupIn.import_(key[:220]).id == out.id
    share_with(mallory, bob, msgspec.structs.replace(mallory.share_of(out, EVERYONE), session_key=key))
    assert bob.store.group_in(EVERYONE, mallory.account, mallory.device, out.id) is None
    assert len(bob.waiting()) == 1


def test_a_share_is_of_the_session_that_it_names(mallory: Peer, bob: Victim) -> None:
    """Attack: the key of one session under the id, or the index, of another. Rule 13."""
    out = GroupOut.create()
    share = mallory.share_of(out, EVERYONE)
    for wrong in (
        msgspec.structs.replace(share, session=SessionId(b"s" * 32)),
        msgspec.structs.replace(share, index=5),
    ):
        share_with(mallory, bob, wrong)
        assert bob.store.group_in(EVERYONE, mallory.account, mallory.device, wrong.session) is None


def test_a_key_for_a_conversation_of_others_is_refused(alice: Peer, mallory: Peer, bob: Victim) -> None:
    """Attack: Mallory gives Bob a key for his direct conversation with Alice, to be heard there. Rule 17."""
    direct = direct_id(alice.account, bob.account)
    out = with_key(mallory, bob, direct)
    bob.log(mallory.message(out, direct, "from alice, surely"))
    assert bob.texts(direct) == []
    assert bob.store.group_in(direct, mallory.account, mallory.device, out.id) is None


def test_of_several_keys_all_are_taken_or_none(alice: Peer, mallory: Peer, bob: Victim) -> None:
    """Attack: behind a key of her own Mallory hides one for Bob's direct conversation with Alice, one of
    another membership, and one that is not what it says. Rules 13 and 17."""
    direct = direct_id(alice.account, bob.account)
    first, second = (mallory.share_of(GroupOut.create(), EVERYONE) for _ in range(2))
    wrongs = (
        mallory.share_of(GroupOut.create(), direct),
        msgspec.structs.replace(second, membership_hash=bytes(32)),
        msgspec.structs.replace(second, index=5),
    )
    for shares in ((first, wrong) for wrong in wrongs):
        olm = mallory.keys.start(bob.keys.curve25519, bob.one_time_key())
        bob.mail(mallory.envelope(olm, bob, KeyShares(shares).pack(), kind=PlainKind.KEY_SHARES))
        for share in shares:
            where = share.conversation
            assert bob.store.group_in(where, mallory.account, mallory.device, share.session) is None
    olm = mallory.keys.start(bob.keys.curve25519, bob.one_time_key())
    bob.mail(mallory.envelope(olm, bob, KeyShares((first, second)).pack(), kind=PlainKind.KEY_SHARES))
    for share in (first, second):
        assert bob.store.group_in(EVERYONE, mallory.account, mallory.device, share.session) is not None


def test_a_session_ends_where_the_program_did_not_stop_in_order(alice: Peer, bob: Victim) -> None:
    """Attack: the disk of a crashed machine comes back from an older state, so that its ratchet would seal
    with key and IV of messages that are out. Rules 15 and 28: after an unclean stop every sending session
    ends."""
    bob.say(alice, "before the crash")
    assert bob.store.setting(Setting.CLEAN_STOP) is None
    bob.core = bob.new_core()
    bob.apply(*bob.core.started(clean=False).save)
    bob.connect()
    bob.say(alice, "after it")
    before, after = bob.server.sends()
    assert before.session != after.session


def test_messages_are_counted_and_name_the_one_before(alice: Peer, bob: Victim) -> None:
    """Attack: the server drops one of a sender's messages. Rule 14: n is dense, and each message names the
    sender's own last one by hash, so whoever misses one can tell."""
    for text in ("one", "two", "three"):
        bob.say(alice, text)
    rows = bob.store.history(direct_id(alice.account, bob.account), 10, None)
    inner = [InnerMessage.unpack(row.inner) for row in rows]
    assert [each.n for each in inner] == [1, 2, 3]
    assert [each.previous for each in inner] == [b"", rows[0].hash, rows[1].hash]
