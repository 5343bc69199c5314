"""What the server says reaches the file whose job it is, and nothing else counts as an answer."""

from __future__ import annotations

import pytest

from coterie.base import limits
from coterie.base.clock import FakeClock
from coterie.base.codes import Code
from coterie.base.errors import RemoteError
from coterie.base.ids import ConversationId, SessionId
from coterie.client.api.enrolment import NewDevice
from coterie.client.commands import KeepDraft, MarkRead, RecoveryKeyShown
from coterie.client.core.requests import AccountsAsked, ClaimAsked, LeavesAsked, Purpose
from coterie.client.core.switchboard import Switchboard
from coterie.client.events import ConversationKind
from coterie.client.store.records import ConversationRow, PutSetting, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.wire.frames import (
    Accepted,
    Accounts,
    Claimed,
    Leaves,
    PrekeysLow,
    PublishPrekeys,
    Ready,
    Refusal,
    ServerFrame,
)
from tests.client.core.test_trust import NOW_MS, profile_of_alice

ASKED: tuple[Purpose, ...] = (
    LeavesAsked(0),
    AccountsAsked(()),
    ClaimAsked((), ConversationId(bytes(16)), SessionId(bytes(32))),
)


@pytest.fixture
def core(store: ClientStore) -> Switchboard:
    profile = profile_of_alice()
    store.begin()
    store.apply(NewDevice(profile.account, "here", FakeClock(NOW_MS)).records)
    store.commit()
    return Switchboard(store, profile)


def answers(request: int) -> tuple[ServerFrame, ...]:
    return (Leaves(request, 0, (), b""), Accounts(request, ()), Claimed(request, ()), Accepted(request, 0))


@pytest.mark.parametrize("number", range(len(ASKED)))
def test_an_answer_of_another_kind_breaks_the_protocol(core: Switchboard, number: int) -> None:
    """Ignored, it would leave a client waiting for the true one as long as the connection lasts."""
    for which in range(len(answers(0))):
        if which != number:
            request = core.requests.new(ASKED[number], NOW_MS)
            with pytest.raises(RemoteError) as caught:
                list(core.frame(answers(request)[which], NOW_MS))
            assert caught.value.code is Code.UNEXPECTED_FRAME


def test_an_answer_that_nobody_asked_for_is_nothing(core: Switchboard) -> None:
    assert [list(core.frame(answer, NOW_MS)) for answer in answers(7)] == [[], [], [], []]


def test_a_frame_of_the_handshake_after_it_breaks_the_protocol(core: Switchboard) -> None:
    with pytest.raises(RemoteError) as caught:
        list(core.frame(Ready(1, (), 0, b"", 0), NOW_MS))
    assert caught.value.code is Code.UNEXPECTED_FRAME


def test_prekeys_that_the_server_refuses_are_given_up(core: Switchboard, store: ClientStore) -> None:
    store.begin()
    later_ms = NOW_MS + limits.TOP_UP_EVERY_MS
    (told,) = core.frame(PrekeysLow(0), later_ms)
    store.apply(told.save)
    (given,) = told.send
    assert isinstance(given, PublishPrekeys)
    assert store.setting(Setting.PENDING_PREKEYS) is not None
    for outcome in core.frame(Refusal(given.request, Code.BAD_MANIFEST.value), later_ms):
        store.apply(outcome.save)
    store.commit()
    assert store.setting(Setting.PENDING_PREKEYS) is None


def test_what_a_person_reads_and_writes_down_is_kept(core: Switchboard, store: ClientStore) -> None:
    """Read marks, drafts, and the recovery key once it was seen."""
    everyone = core.everyone
    store.begin()
    store.apply(
        (
            ConversationRow(everyone, ConversationKind.EVERYONE, b""),
            PutSetting(Setting.PENDING_RECOVERY_KEY, b"words"),
        )
    )
    for command in (
        MarkRead(everyone, 5),
        MarkRead(everyone, 3),
        KeepDraft(everyone, "half a"),
        RecoveryKeyShown(),
    ):
        for outcome in core.command(command, NOW_MS):
            store.apply(outcome.save)
    store.commit()
    row = store.conversation(everyone)
    assert row is not None
    assert (row.read_order, row.draft) == (5, "half a")
    assert store.setting(Setting.PENDING_RECOVERY_KEY) is None
