"""Somebody between a new device and the account's: the server, or a stranger (encryption rule 8)."""

from __future__ import annotations

import pytest

from coterie.base.errors import LocalError, SealBroken
from coterie.base.ids import AccountId, DeviceId
from coterie.e2ee import approval
from coterie.e2ee.approval import Approving, Form
from coterie.e2ee.identity import AccountSecret
from coterie.e2ee.pairwise import Party
from tests.e2ee.approvals import ALICE, NAME, SERVER, Newcomer, agreed, approver

MALLORY = Party(AccountId(b"m" * 32), DeviceId(b"m" * 16), b"M" * 32)


@pytest.fixture(scope="module")
def secret() -> AccountSecret:
    return AccountSecret.generate()


def between(new: Newcomer, me: Party = MALLORY) -> tuple[Newcomer, Approving, Approving]:
    """The server answers the new device itself, and asks the account's device with keys of its own: its
    device, its side towards the new one, and the account's device."""
    mallory = Newcomer()
    return (
        mallory,
        approver(new.side.request, new.side.rendezvous, me=me),
        approver(mallory.side.request, mallory.side.rendezvous),
    )


def test_who_stands_between_shows_each_person_something_else() -> None:
    """Attack: a device of the server's becomes alice's, while she believes that it is her own new one."""
    new = Newcomer()
    mallory, towards_new, alice = between(new)
    agreed(new, towards_new)
    agreed(mallory, alice)
    assert new.side.emoji != alice.emoji
    assert (new.side.emoji, alice.emoji) == (towards_new.emoji, mallory.side.emoji)


def test_who_names_alice_as_the_one_that_answers_shows_something_else_too() -> None:
    new = Newcomer()
    mallory, towards_new, alice = between(new, ALICE)
    agreed(new, towards_new)
    agreed(mallory, alice)
    assert new.side.emoji != alice.emoji


def test_other_keys_in_a_genuine_request_are_refused() -> None:
    """Attack: the server leaves the agreement as it is, and changes what would go into the manifest."""
    new, mallory = Newcomer(), Newcomer()
    for genuine, false in (
        (new.candidate.curve25519, mallory.candidate.curve25519),
        (new.candidate.ed25519, mallory.candidate.ed25519),
        (b"kitchen", b"laptop!"),
    ):
        assert new.side.request.count(genuine) == 1
        with pytest.raises(SealBroken):
            approver(new.side.request.replace(genuine, false), new.side.rendezvous)


def test_a_key_other_than_the_committed_one_ends_it() -> None:
    """Attack: the server waits for alice's key, and then looks for one of its own that shows the same
    emoji."""
    new, better = Newcomer(), Newcomer()
    alice = approver(new.side.request, new.side.rendezvous)
    other = approver(better.side.request, better.side.rendezvous)
    reveal = better.side.answered(other.answer)
    with pytest.raises(SealBroken):
        alice.revealed(reveal)


def test_a_key_is_revealed_once() -> None:
    """Attack: the server asks for the new device's key, and answers again with one that fits."""
    new = Newcomer()
    _, first, _ = between(new)
    new.side.answered(first.answer)
    with pytest.raises(SealBroken):
        new.side.answered(approver(new.side.request, new.side.rendezvous).answer)


def test_a_code_admits_no_keys_but_those_it_was_shown_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attack: alice gives the code, and the server puts a request of its own, for the same rendezvous, in the
    place of the new device's."""
    new = Newcomer()
    monkeypatch.setattr(approval, "rendezvous_of", lambda _: new.side.rendezvous)
    mallory = Newcomer()
    approver(mallory.side.request, new.side.rendezvous)
    with pytest.raises(SealBroken):
        approver(mallory.side.request, new.side.rendezvous, new.code)


def test_who_does_not_have_the_code_grants_nothing(secret: AccountSecret) -> None:
    """Attack: the server answers the new device itself and says that the code was given: the person would
    type into an account of the server's."""
    new, other = Newcomer(), Newcomer()
    false = Approving(new.side.request, MALLORY, SERVER, NAME, new.side.rendezvous)
    false._code = other.code
    honest = approver(new.side.request, new.side.rendezvous, new.code)
    agreed(new, false)
    new.side.form = Form.CODE
    with pytest.raises(SealBroken):
        new.side.granted(false.grant(secret, b"", b""))
    with pytest.raises(SealBroken):
        honest.grant(secret, b"", b"")


def test_who_says_emoji_where_the_code_was_given_waits_for_the_person(secret: AccountSecret) -> None:
    """Attack: without the code, the server asks for emoji to be compared. Nothing is opened unless the person
    says yes, and alice's device shows none."""
    new = Newcomer()
    _, towards_new, _ = between(new)
    agreed(new, towards_new)
    with pytest.raises(LocalError):
        new.side.granted(towards_new.grant(secret, b"", b""))


def test_a_replayed_request_gets_nothing_that_opens(secret: AccountSecret) -> None:
    """Attack: the server shows alice's device a request of last week, whose code she still has. It has what
    was said then, and can say it again; but not the keys."""
    new = Newcomer()
    first = approver(new.side.request, new.side.rendezvous, new.code)
    reveal = new.side.answered(first.answer)
    first.revealed(reveal)
    said = [first.grant(secret, b"", b""), new.side.kept]
    again = approver(new.side.request, new.side.rendezvous, new.code)
    again.revealed(reveal)
    grant = again.grant(secret, b"", b"")
    with pytest.raises(SealBroken):
        again.check_kept(said[1])
    with pytest.raises(SealBroken):
        new.side.granted(grant)


def test_a_grant_of_another_exchange_is_refused(secret: AccountSecret) -> None:
    """Attack: the server gives one new device what another was granted."""
    new, other = Newcomer(), Newcomer()
    for each in (new, other):
        each.old = approver(each.side.request, each.side.rendezvous)  # type: ignore[attr-defined] # of this test
        agreed(each, each.old)  # type: ignore[attr-defined] # of this test
        each.side.compared()
    with pytest.raises(SealBroken):
        new.side.granted(other.old.grant(secret, b"", b""))  # type: ignore[attr-defined] # of this test


def test_nobody_says_for_the_new_device_that_it_has_all(secret: AccountSecret) -> None:
    """Attack: the server answers in the new device's place, so that a device without its keys is signed
    in."""
    new = Newcomer()
    alice = approver(new.side.request, new.side.rendezvous)
    agreed(new, alice)
    mallory, _, other = between(new)
    agreed(mallory, other)
    with pytest.raises(SealBroken):
        alice.check_kept(mallory.side.kept)
