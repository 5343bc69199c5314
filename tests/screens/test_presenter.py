from __future__ import annotations

import msgspec
import pytest

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.base.ids import ConversationId, DeviceId, UserName
from coterie.client.events import (
    AccountChangeAnswered,
    BecameNewDevice,
    Device,
    DevicesChanged,
    DrainedBacklog,
    IdentityReplaced,
    LedgerDoubted,
    LinkChanged,
    LinkState,
    MessageQueued,
    MessagesMissing,
    MessageState,
    NameReset,
    NameWentBack,
    NotFor,
    NotInLedger,
    OwnDeviceQuestion,
    PersonAppeared,
    ResetState,
    ServerRestored,
)
from coterie.screens.asking import Answer
from coterie.screens.i18n import Text, refusal, say
from coterie.screens.intents import ReadAll, ReadHistory, SetRead
from coterie.screens.presenter import Presenter
from coterie.screens.rows import MessageRow, NoticeRow, Presence, Tick, UnreadRow
from coterie.screens.signals import (
    ErrorShown,
    HeaderShown,
    QuestionShown,
    Reset,
    Scope,
    StatusShown,
)
from tests.screens.screen import Screen
from tests.screens.street import NOON_MS, Street


@pytest.fixture
def street() -> Street:
    return Street()


@pytest.fixture
def screen(street: Street) -> Screen:
    screen = Screen(street)
    screen.begin()
    return screen


def test_it_begins_with_the_whole_server(screen: Screen, street: Street) -> None:
    assert screen.presenter.selected == street.everyone
    assert screen.last(HeaderShown).header.title == "Everyone"
    assert "open to everyone" in screen.last(HeaderShown).header.subtitle
    assert [type(each) for each in screen.asked] == [ReadAll, ReadHistory]
    assert screen.last(StatusShown).text == ""


def test_events_that_come_too_early_wait(street: Street) -> None:
    screen = Screen(street)
    screen.take(street.arrive("bob", street.everyone, "early"))
    assert screen.shown == []
    screen.begin()
    assert [row.text for row in screen.rows] == ["early"]


def test_only_the_newest_are_read_and_scrolling_reads_on(street: Street) -> None:
    for number in range(450):
        street.arrive("bob", street.everyone, str(number))
    street.read[street.everyone] = 450
    screen = Screen(street)
    screen.begin()
    assert [row.text for row in screen.rows] == [str(number) for number in range(250, 450)]
    for expected in (50, 0):
        screen.apply(screen.presenter.reach_top())
        assert screen.rows[0].text == str(expected)
    before = screen.count(ReadHistory)
    screen.apply(screen.presenter.reach_top())
    assert screen.count(ReadHistory) == before


def test_what_is_unread_is_loaded_from_its_beginning_and_shown_first(street: Street) -> None:
    for number in range(400):
        street.arrive("bob", street.everyone, str(number))
    street.read[street.everyone] = 100
    screen = Screen(street)
    screen.begin()
    line = next(index for index, row in enumerate(screen.timeline) if isinstance(row, UnreadRow))
    after = screen.timeline[line + 1]
    assert isinstance(after, MessageRow)
    assert after.text == "100"
    assert screen.last(Reset).focus == "unread"


def test_a_click_on_anybody_opens_the_conversation(screen: Screen, street: Street) -> None:
    screen.apply(screen.presenter.select(street.direct("bob")))
    assert screen.last(HeaderShown).header.title == "bob"
    assert screen.last(HeaderShown).header.subtitle == "offline  ·  end-to-end encrypted"
    assert [row.title for row in screen.chats if row.selected] == ["bob"]
    screen.apply(screen.presenter.address("CAROL"))
    assert screen.presenter.selected == street.direct("carol")
    screen.apply(screen.presenter.address("nobody"))
    assert screen.presenter.selected == street.direct("carol")


def test_presence_is_a_notice_the_list_and_the_header(screen: Screen, street: Street) -> None:
    screen.take(street.presence("bob", True))
    screen.take(street.presence("carol", True, initial=True))
    screen.take(street.presence("bob", False))
    notices = [row.text for row in screen.timeline if isinstance(row, NoticeRow)]
    assert notices == ["bob connected", "bob left the chat"]
    assert "2 people online" in screen.last(HeaderShown).header.subtitle
    presence = {row.title: row.presence for row in screen.chats}
    assert (presence["bob"], presence["carol"]) == (Presence.OFFLINE, Presence.ONLINE)
    screen.apply(screen.presenter.select(street.direct("carol")))
    screen.take(street.presence("carol", False))
    assert screen.last(HeaderShown).header.subtitle.startswith("offline")


def test_what_is_looked_at_is_marked_as_read_once(screen: Screen, street: Street) -> None:
    screen.apply(screen.presenter.watch(True))
    screen.take(street.arrive("bob", street.everyone, "hi"))
    screen.apply(screen.presenter.viewed(1))
    screen.apply(screen.presenter.viewed(1))
    assert street.read == {street.everyone: 1}
    assert screen.count(SetRead) == 1
    assert [row.unread for row in screen.chats if row.title == "Everyone"] == [0]


def test_what_was_looked_at_before_it_counted_as_unread_is_marked_too(screen: Screen, street: Street) -> None:
    arrived, changed = street.arrive("bob", street.everyone, "hi")
    screen.take([arrived])
    screen.apply(screen.presenter.viewed(1))
    assert street.read == {}
    screen.take([changed])
    assert street.read == {street.everyone: 1}


def test_what_arrives_unseen_begins_an_unread_line(screen: Screen, street: Street) -> None:
    screen.apply(screen.presenter.watch(True))
    screen.take(street.arrive("bob", street.everyone, "seen"))
    screen.apply(screen.presenter.viewed(1))
    screen.apply(screen.presenter.watch(False))
    for text in ("one", "two"):
        screen.take(street.arrive("bob", street.everyone, text))
    kinds = [row.text for row in screen.timeline if isinstance(row, MessageRow | UnreadRow)]
    assert kinds == ["seen", "2 unread messages", "one", "two"]
    assert [row.unread for row in screen.chats if row.title == "Everyone"] == [2]
    screen.apply(screen.presenter.submit("answer"))
    assert not [row for row in screen.timeline if isinstance(row, UnreadRow)]


def test_the_keyboard_goes_through_the_list(screen: Screen, street: Street) -> None:
    screen.take(street.arrive("carol", street.direct("carol"), "hi"))
    order = [row.conversation for row in screen.chats]
    at = order.index(street.everyone)
    screen.apply(screen.presenter.step(-1))
    assert screen.presenter.selected == order[at - 1] == street.direct("carol")
    screen.apply(screen.presenter.step(-1))
    assert screen.presenter.selected == order[0]
    screen.take(street.arrive("bob", street.direct("bob"), "hi"))
    screen.apply(screen.presenter.next_unread())
    assert screen.presenter.selected == street.direct("bob")


def test_rows_of_other_conversations_are_kept_up_to_date(screen: Screen, street: Street) -> None:
    bob = street.direct("bob")
    screen.apply(screen.presenter.select(bob))
    screen.take(street.arrive("carol", street.everyone, "meanwhile"))
    assert screen.rows == []
    screen.apply(screen.presenter.select(street.everyone))
    assert [row.text for row in screen.rows] == ["meanwhile"]
    assert screen.count(ReadHistory) == 2


def test_the_connection_is_told(screen: Screen) -> None:
    for state, code, text in (
        (LinkState.CONNECTING, None, "connecting ..."),
        (LinkState.LIVE, None, ""),
        (LinkState.STOPPED, Code.REVOKED, refusal(Code.REVOKED)),
    ):
        screen.take([LinkChanged(state, code)])
        assert screen.last(StatusShown).text == text


def test_a_doubtful_ledger_is_told_in_the_same_line(screen: Screen) -> None:
    for code in (Code.LEDGER_OLD, Code.LEDGER_WITHHELD, None):
        screen.take([LedgerDoubted(code)])
        assert screen.last(StatusShown).text == ("" if code is None else refusal(code))


def test_devices_that_change_are_a_line_in_the_timeline(screen: Screen, street: Street) -> None:
    screen.take(
        [
            DevicesChanged(street.person("bob"), False, NOON_MS),
            DevicesChanged(street.person("alice"), True, NOON_MS),
        ]
    )
    texts = [row.text for row in screen.timeline if isinstance(row, NoticeRow)]
    assert texts == [
        "bob changed their devices: published by an existing device on Tuesday, 2026-11-24",
        "A device was added to your account with your passphrase or recovery key",
    ]


def test_missing_messages_are_a_line_where_they_are_missing(screen: Screen, street: Street) -> None:
    bob = street.person("bob").name
    screen.take([MessagesMissing(street.everyone, "everyone", bob, 2)])
    screen.take([MessagesMissing(street.direct("bob"), "@bob", bob, 1)])
    texts = [row.text for row in screen.timeline if isinstance(row, NoticeRow)]
    assert texts == ["2 messages of bob are missing here"]


def test_a_restore_of_the_server_is_a_line(screen: Screen, street: Street) -> None:
    screen.take([ServerRestored(0), NameWentBack(street.person("bob"))])
    first, second = (row.text for row in screen.timeline if isinstance(row, NoticeRow))
    assert first.startswith("Your server was restored from a copy of ")
    assert second == say(Text.NAME_WENT_BACK, name=street.person("bob").name)


def test_what_is_not_in_the_ledger_is_a_line(screen: Screen, street: Street) -> None:
    screen.take([NotInLedger(UserName("mallory"))])
    texts = [row.text for row in screen.timeline if isinstance(row, NoticeRow)]
    assert texts == [say(Text.NOT_IN_LEDGER, name="mallory")]


@pytest.mark.parametrize("own", [True, False])
def test_a_name_that_begins_anew_is_a_line(screen: Screen, street: Street, own: bool) -> None:
    event = NameReset(UserName("bob"), street.person("bob").account, ResetState.ANNOUNCED, NOON_MS, own=own)
    screen.take([event])
    texts = [row.text for row in screen.timeline if isinstance(row, NoticeRow)]
    wanted = Text.OWN_RESET_ANNOUNCED if own else Text.RESET_ANNOUNCED
    assert texts == [say(wanted, name="bob")]


def came(number: int) -> Device:
    return Device(DeviceId(bytes((number,)) * 16), f"laptop {number}", False, NOON_MS, False, True)


def test_a_device_that_came_is_asked_about_until_it_is_confirmed(street: Street) -> None:
    street.asked_about = [came(1)]
    screen = Screen(street)
    screen.begin()
    first = screen.last(QuestionShown)
    assert first.subject == came(1).id
    assert first.text == say(Text.OWN_DEVICE_ASKED)
    assert first.detail == "laptop 1, 2026-11-24 12:00"
    street.asked_about.append(came(2))
    screen.take([OwnDeviceQuestion(came(1)), OwnDeviceQuestion(came(2))])
    assert screen.last(QuestionShown) == first
    screen.apply(screen.presenter.answer_question(came(1).id, Answer.YES))
    assert screen.last(QuestionShown).subject == came(2).id
    screen.apply(screen.presenter.answer_question(came(2).id, Answer.YES))
    assert screen.last(QuestionShown) == QuestionShown("", "")
    assert street.asked_about == []


def test_a_device_that_another_own_one_removed_is_no_longer_asked_about(street: Street) -> None:
    street.asked_about = [came(1)]
    screen = Screen(street)
    screen.begin()
    street.asked_about = []
    screen.take(
        [DevicesChanged(street.person("bob"), False, NOON_MS), AccountChangeAnswered(b"c" * 16, None)]
    )
    assert screen.last(QuestionShown).subject == came(1).id
    screen.take([DevicesChanged(street.person("alice"), False, NOON_MS)])
    assert screen.last(QuestionShown) == QuestionShown("", "")


def test_a_copied_folder_says_what_it_may_not_have_sent(screen: Screen, street: Street) -> None:
    waited = street.write(street.everyone, "waited")
    screen.take(street.sent(street.write(street.everyone, "sent")))
    screen.take([MessageQueued(waited)])
    unsure = msgspec.structs.replace(waited, state=MessageState.UNSURE)
    screen.take([BecameNewDevice(DeviceId(bytes(16)), (unsure,))])
    row = next(row for row in screen.rows if row.text == "waited")
    assert (row.tick, row.notes) == (Tick.NONE, (say(Text.UNSURE),))
    notices = [row.text for row in screen.timeline if isinstance(row, NoticeRow)]
    assert notices == [say(Text.BECAME_NEW_DEVICE)]


def test_an_account_that_goes_on_says_so(screen: Screen, street: Street) -> None:
    waited = street.write(street.everyone, "waited")
    screen.take([MessageQueued(waited)])
    unsure = msgspec.structs.replace(waited, state=MessageState.UNSURE)
    screen.take([IdentityReplaced(street.account, (unsure,))])
    row = next(row for row in screen.rows if row.text == "waited")
    assert row.notes == (say(Text.UNSURE),)
    notices = [row.text for row in screen.timeline if isinstance(row, NoticeRow)]
    assert notices == [say(Text.IDENTITY_REPLACED)]


def test_a_message_names_the_devices_that_it_is_not_for(screen: Screen, street: Street) -> None:
    left_out = (NotFor(street.person("bob").name, "laptop", Code.NO_PREKEY),) * 5
    screen.take(street.sent(street.write(street.everyone, "x", not_for=left_out)))
    notes = screen.rows[-1].notes
    assert notes[0] == "not for bob's laptop: no keys there yet"
    assert notes[-1] == "and not for 2 more"


def test_a_message_of_a_later_version_says_so(screen: Screen, street: Street) -> None:
    screen.take(street.arrive("bob", street.everyone, "", readable=False))
    assert screen.rows[-1].text == "This message needs a newer version of coterie"


def test_a_long_message_is_cut_until_all_of_it_is_wanted(screen: Screen, street: Street) -> None:
    screen.take(street.arrive("bob", street.everyone, "line\n" * 1_000))
    short = screen.rows[-1]
    assert short.cut
    assert len(short.blocks) < 200
    screen.apply(screen.presenter.show_whole(short.key))
    whole = screen.rows[-1]
    assert not whole.cut
    assert len(whole.blocks) == 1_001
    assert whole.text == short.text == "line\n" * 1_000


def test_somebody_new_can_be_written_to(screen: Screen, street: Street) -> None:
    newcomer = msgspec.structs.replace(street.person("bob"), name="zoe", account=bytes(32))
    screen.take([PersonAppeared(newcomer)])
    assert "zoe" in [row.title for row in screen.chats]
    screen.take(street.arrive("bob", street.everyone, "ask @zoe"))
    assert screen.rows[-1].blocks != ()


def test_when_all_that_waited_is_here_everything_is_looked_at_again(screen: Screen, street: Street) -> None:
    street.arrive("bob", street.direct("bob"), "missed")
    screen.take([DrainedBacklog()])
    assert screen.chats[0].title == "bob"


def test_a_store_that_cannot_be_read_is_told(street: Street) -> None:
    class Broken(Street):
        def draft(self, conversation: ConversationId) -> str:
            raise Unavailable(Code.DISK)

    screen = Screen(Broken())
    screen.begin()
    assert screen.last(ErrorShown).text == refusal(Code.DISK)
    screen.apply(screen.presenter.reach_top())


def test_before_anything_is_known_nothing_happens(street: Street) -> None:
    presenter = Presenter(street)
    for signals in (
        presenter.select(street.everyone),
        presenter.submit("x"),
        presenter.typed("x"),
        presenter.save_draft(),
        presenter.step(1),
        presenter.next_unread(),
        presenter.search("x"),
        presenter.look(Scope.EVERYWHERE),
        presenter.find(),
        presenter.step_found(1),
        presenter.show_found(),
        presenter.reach_found_end(),
        presenter.close_search(),
        presenter.newest(),
        presenter.reach_bottom(),
        presenter.viewed(1),
        presenter.watch(True),
        presenter.reach_top(),
        presenter.address("bob"),
    ):
        assert (signals.shown, signals.intents) == ((), ())


def test_search_narrows_the_list(screen: Screen) -> None:
    screen.apply(screen.presenter.search("bo"))
    assert [row.title for row in screen.chats] == ["bob"]
    assert [row.title for row in screen.presenter.list_rows] == ["bob"]
