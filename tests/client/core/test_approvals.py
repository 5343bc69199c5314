"""What is said about a device that wants to join goes both ways unread; one that is approved comes once."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.ids import DeviceId
from coterie.base.signing import IdentityKeys
from coterie.client.changes import AddApproved
from coterie.client.commands import AnswerDevice, LeaveDevice, WatchForDevices
from coterie.client.core.own_account import successor
from coterie.client.core.switchboard import Switchboard
from coterie.client.events import ApprovalHeard, ApprovalsRefused, ApprovalStep
from coterie.ledger.checks import check_successor
from coterie.wire.frames import (
    Accepted,
    ApprovalAsked,
    ApprovalEnded,
    ApprovalRelayed,
    EndApproval,
    Refusal,
    RelayApproval,
    ServerFrame,
    WatchApprovals,
)
from tests.client.core.test_switchboard import core
from tests.client.core.test_trust import NOW_MS
from tests.ledger.accounts import Machine, Owner

__all__ = ["core"]

R = b"r" * 16


def test_what_this_device_says_goes_to_the_server(core: Switchboard) -> None:
    (watching,) = core.command(WatchForDevices(60, R), NOW_MS)
    (frame,) = watching.send
    assert isinstance(frame, WatchApprovals)
    assert (frame.seconds, frame.rendezvous) == (60, R)
    (said,) = core.command(AnswerDevice(R, b"answer"), NOW_MS)
    assert said.send == (RelayApproval(R, b"answer"),)
    (left,) = core.command(LeaveDevice(R), NOW_MS)
    assert left.send == (EndApproval(R),)


@pytest.mark.parametrize(
    ("frame", "event"),
    [
        (ApprovalAsked(R, b"request"), ApprovalHeard(R, ApprovalStep.ASKED, b"request")),
        (ApprovalRelayed(R, b"reveal"), ApprovalHeard(R, ApprovalStep.RELAYED, b"reveal")),
        (ApprovalEnded(R), ApprovalHeard(R, ApprovalStep.ENDED)),
    ],
    ids=["asked", "relayed", "ended"],
)
def test_what_comes_is_told_as_it_came(core: Switchboard, frame: ServerFrame, event: ApprovalHeard) -> None:
    (outcome,) = core.frame(frame, NOW_MS)
    assert (outcome.show, outcome.save, outcome.send) == ((event,), (), ())
    assert repr(event) == "<ApprovalHeard>"


def test_the_server_may_have_us_wait(core: Switchboard) -> None:
    answers: tuple[ServerFrame, ...] = (Accepted(1, 0), Refusal(2, Code.TOO_MANY_TRIES.value, 5000))
    for number, answer in enumerate(answers, 1):
        list(core.command(WatchForDevices(60), NOW_MS))
        shown = [event for outcome in core.frame(answer, NOW_MS) for event in outcome.show]
        assert shown == ([] if number == 1 else [ApprovalsRefused(Code.TOO_MANY_TRIES, 5000)])


def approved(machine: Machine, by: DeviceId) -> AddApproved:
    return AddApproved(DeviceId(machine.id), "kitchen", machine.curve25519, machine.ed25519, NOW_MS, by)


@pytest.fixture(scope="module")
def alice() -> Owner:
    return Owner(IdentityKeys.generate())


def test_an_approved_device_is_the_next_entry_and_once_only(alice: Owner) -> None:
    before, kitchen = alice.begin(), Machine()
    change = approved(kitchen, alice.first.id)
    manifest = successor(before, (change,), NOW_MS)
    assert manifest is not None
    signed = alice.sign(manifest)
    check_successor(before, signed)
    entry = manifest.devices[-1]
    assert (entry.id, entry.approved_by, entry.marked) == (kitchen.id, alice.first.id, False)
    assert successor(signed, (change,), NOW_MS) is None


def test_the_mark_of_the_approver_passes_on(alice: Owner) -> None:
    first, recovered, kitchen = alice.begin(), Machine(), Machine()
    before = alice.with_recovered(first, recovered)
    manifest = successor(before, (approved(kitchen, recovered.id),), NOW_MS)
    assert manifest is not None
    check_successor(before, alice.sign(manifest, recovered))
    assert manifest.devices[-1].marked is True


def test_another_device_of_that_id_is_refused(alice: Owner) -> None:
    """Attack: a device asks to join under the id of one that is there, with keys of its own."""
    change = msgspec.structs.replace(approved(Machine(), alice.first.id), device=alice.first.id)
    with pytest.raises(Refused) as refused:
        successor(alice.begin(), (change,), NOW_MS)
    assert refused.value.code is Code.BAD_MANIFEST
