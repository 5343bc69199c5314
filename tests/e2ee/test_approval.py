"""Two devices come to trust each other by emoji or by a code; every step out of turn is refused."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.errors import LocalError, SealBroken
from coterie.base.ids import AccountId
from coterie.base.signing import account_id
from coterie.e2ee.approval import Approving, Form, Joining
from coterie.e2ee.identity import AccountSecret
from tests.e2ee.approvals import ALICE, Newcomer, agreed, approver
from tests.examples import examples

MANIFEST, VAULT = b"a manifest", b"a vault"


@pytest.fixture(scope="module")
def secret() -> AccountSecret:
    return AccountSecret.generate()


def test_by_emoji_the_account_comes_to_the_device(secret: AccountSecret) -> None:
    new = Newcomer()
    old = approver(new.side.request, new.side.rendezvous)
    agreed(new, old)
    assert new.side.emoji == old.emoji
    assert (new.side.form, new.side.approver, old.candidate) == (Form.EMOJI, ALICE, new.candidate)
    new.side.compared()
    granted = new.side.granted(old.grant(secret, MANIFEST, VAULT))
    assert (granted.manifest, granted.vault) == (MANIFEST, VAULT)
    opened = AccountSecret.unpack(granted.secret)
    assert account_id(opened.identity.public) == account_id(secret.identity.public)
    old.check_kept(new.side.kept)


def test_by_its_code_nothing_is_compared(secret: AccountSecret) -> None:
    new = Newcomer()
    assert new.code.rendezvous == new.side.rendezvous
    old = approver(new.side.request, new.side.rendezvous, new.code)
    agreed(new, old)
    assert new.side.form is Form.CODE
    assert new.side.granted(old.grant(secret, MANIFEST, b"")).vault == b""
    old.check_kept(new.side.kept)


def test_nothing_is_opened_before_the_person_has_compared(secret: AccountSecret) -> None:
    new = Newcomer()
    old = approver(new.side.request, new.side.rendezvous)
    agreed(new, old)
    with pytest.raises(LocalError):
        new.side.granted(old.grant(secret, MANIFEST, VAULT))


def test_steps_out_of_turn_are_refused(secret: AccountSecret) -> None:
    new = Newcomer()
    old = approver(new.side.request, new.side.rendezvous)
    with pytest.raises(SealBroken):
        _ = old.emoji
    with pytest.raises(SealBroken):
        old.grant(secret, MANIFEST, VAULT)
    with pytest.raises(SealBroken):
        _ = new.side.kept
    with pytest.raises(SealBroken):
        old.revealed(old.answer)
    with pytest.raises(SealBroken):
        new.side.answered(new.side.request)


@pytest.mark.parametrize("field", ["name", "server", "rendezvous"])
def test_a_request_for_somebody_else_is_refused(field: str) -> None:
    new = Newcomer(
        name="bob" if field == "name" else "alice",
        server=AccountId(b"x" * 32) if field == "server" else AccountId(b"s" * 32),
    )
    rendezvous = bytes(16) if field == "rendezvous" else new.side.rendezvous
    with pytest.raises(SealBroken):
        approver(new.side.request, rendezvous)


def test_keys_that_the_device_does_not_have_are_refused() -> None:
    """Attack: a device lists the keys of somebody else's as its own."""
    new, other = Newcomer(), Newcomer()
    false = Joining(AccountId(b"s" * 32), "alice", new.candidate, other.keys.sign)  # type: ignore[arg-type] # a name as it is typed
    with pytest.raises(SealBroken):
        approver(false.request, false.rendezvous)


def test_an_unknown_suite_is_refused() -> None:
    new = Newcomer()
    at = new.side.request.index(b"\x00") + 1
    newer = new.side.request[:at] + b"\x02" + new.side.request[at + 1 :]
    with pytest.raises(SealBroken) as broken:
        approver(newer, new.side.rendezvous)
    assert broken.value.code is Code.BAD_SUITE


Step = Callable[[Newcomer, Approving, bytes], object]
STEPS: dict[str, Step] = {
    "request": lambda new, _, data: approver(data, new.side.rendezvous),
    "answer": lambda new, _, data: new.side.answered(data),
    "reveal": lambda _, old, data: old.revealed(data),
    "grant": lambda new, _, data: new.side.granted(data),
    "kept": lambda _, old, data: old.check_kept(data),
}


@pytest.mark.parametrize("step", STEPS)
@given(data=st.binary(max_size=200))
@settings(max_examples=examples(60))
def test_garbage_is_refused_at_every_step(step: str, data: bytes) -> None:
    new = Newcomer()
    old = approver(new.side.request, new.side.rendezvous)
    if step in ("grant", "kept"):
        agreed(new, old)
        new.side.compared()
    with pytest.raises(SealBroken):
        STEPS[step](new, old, data)


@pytest.mark.parametrize("step", STEPS)
def test_genuine_bytes_that_were_changed_are_refused(step: str, secret: AccountSecret) -> None:
    """In the grant and the confirmation of it every byte counts, in the others all that is signed or
    agreed."""
    new = Newcomer()
    old = approver(new.side.request, new.side.rendezvous)
    reveal = new.side.answered(old.answer)
    new.side.compared()
    genuine = {"request": new.side.request, "reveal": reveal}.get(step)
    if genuine is None:
        old.revealed(reveal)
        genuine = {"grant": old.grant(secret, MANIFEST, VAULT), "kept": new.side.kept}.get(step, old.answer)
    for _ in range(40):
        place = secrets.randbelow(len(genuine))
        changed = (
            genuine[:place] + bytes((genuine[place] ^ 1 << secrets.randbelow(8),)) + genuine[place + 1 :]
        )
        if step == "answer":
            agreed_otherwise(changed)
        else:
            with pytest.raises(SealBroken):
                STEPS[step](new, old, changed)


def agreed_otherwise(answer: bytes) -> None:
    """A changed answer is refused, or the two sides show different emoji, but where only the form was
    changed."""
    new = Newcomer()
    try:
        new.side.answered(answer)
    except SealBroken:
        return
    old = approver(new.side.request, new.side.rendezvous)
    with pytest.raises(SealBroken):
        old.revealed(answer)
