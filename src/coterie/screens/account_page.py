"""The page of one's own account: what opens it, its recovery key, and ways to leave."""

from __future__ import annotations

import secrets
from enum import StrEnum
from typing import Final

from coterie.base.ids import UserName
from coterie.client.events import DevicesChanged, Event, IdentityReplaced, NameReset, VaultRenewed
from coterie.client.shapes import Unreadable
from coterie.screens.board import PlainBoard
from coterie.screens.form_texts import FormText
from coterie.screens.intents import Intent
from coterie.screens.moments import Calendar
from coterie.screens.page_intents import (
    AccountRead,
    ChangePassword,
    Farewell,
    KeepName,
    Leave,
    MakeIdentity,
    MakeRecoveryKey,
    PageFact,
    ReadAccount,
    RecoveryKeyKept,
    RecoveryKeyMade,
    Telling,
    TellServer,
    Wrapping,
    WrapWithPassword,
)
from coterie.screens.page_texts import PageText
from coterie.screens.pages import Page, PageAction, PageRow, Prompt, PromptField
from coterie.screens.prompting import Answer, Prompting
from coterie.screens.signals import AccountLeft, Batch

SECRET: Final = "secret"
NEW: Final = "new"
AGAIN: Final = "again"
NAME: Final = "name"
WORDS_ASKED: Final = 2


class AccountAction(StrEnum):
    CHANGE_PASSWORD = "change-password"
    MAKE_ALONE = "make-alone"
    MAKE_NOT_ALONE = "make-not-alone"
    NEW_RECOVERY = "new-recovery"
    SHOW_RECOVERY = "show-recovery"
    NEW_IDENTITY = "new-identity"
    KEEP_NAME = "keep-name"
    TELL_SERVER = "tell-server"
    TELL_NO_MORE = "tell-no-more"
    SIGN_OUT = "sign-out"
    SIGN_OUT_AND_WIPE = "sign-out-and-wipe"
    WIPE = "wipe"
    DELETE = "delete"


_TEXTS: Final = {
    AccountAction.CHANGE_PASSWORD: (PageText.CHANGE_PASSWORD, PageText.CHANGE_PASSWORD_ABOUT),
    AccountAction.MAKE_ALONE: (PageText.MAKE_ALONE, PageText.MAKE_ALONE_ABOUT),
    AccountAction.MAKE_NOT_ALONE: (PageText.MAKE_NOT_ALONE, PageText.MAKE_NOT_ALONE_ABOUT),
    AccountAction.NEW_RECOVERY: (PageText.NEW_RECOVERY, PageText.NEW_RECOVERY_ABOUT),
    AccountAction.SHOW_RECOVERY: (PageText.SHOW_RECOVERY, PageText.RECOVERY_PENDING),
    AccountAction.NEW_IDENTITY: (PageText.NEW_IDENTITY, PageText.NEW_IDENTITY_ABOUT),
    AccountAction.KEEP_NAME: (PageText.KEEP_NAME, PageText.KEEP_NAME_ABOUT),
    AccountAction.TELL_SERVER: (PageText.TELL_SERVER, PageText.TELL_SERVER_ABOUT),
    AccountAction.TELL_NO_MORE: (PageText.TELL_NO_MORE, PageText.TELL_NO_MORE_ABOUT),
    AccountAction.SIGN_OUT: (PageText.SIGN_OUT, PageText.SIGN_OUT_ABOUT),
    AccountAction.SIGN_OUT_AND_WIPE: (PageText.SIGN_OUT_AND_WIPE, PageText.SIGN_OUT_AND_WIPE_ABOUT),
    AccountAction.WIPE: (PageText.WIPE, PageText.WIPE_ABOUT),
    AccountAction.DELETE: (PageText.DELETE, PageText.DELETE_ABOUT),
}
_FAREWELLS: Final = {
    AccountAction.SIGN_OUT: Farewell.SIGN_OUT,
    AccountAction.SIGN_OUT_AND_WIPE: Farewell.SIGN_OUT_AND_WIPE,
    AccountAction.WIPE: Farewell.WIPE,
    AccountAction.DELETE: Farewell.DELETE,
}
_NAMED: Final = (AccountAction.WIPE, AccountAction.DELETE)
"""What cannot be taken back, and is done only by who types the account's name."""
_SECRET: Final = PromptField(SECRET, PageText.PASSWORD.value, secret=True)
_PASSWORD: Final = PromptField(SECRET, PageText.OLD_PASSWORD.value, secret=True)
_NAME: Final = PromptField(NAME, PageText.TYPE_NAME.value)
_OLD_AND_NEW: Final = (
    _PASSWORD,
    PromptField(NEW, FormText.NEW_PASSWORD.value, secret=True),
    PromptField(AGAIN, FormText.CONFIRM_PASSWORD.value, secret=True),
)
_FIELDS: Final[dict[AccountAction, tuple[PromptField, ...]]] = {
    AccountAction.CHANGE_PASSWORD: _OLD_AND_NEW,
    AccountAction.NEW_IDENTITY: _OLD_AND_NEW,
    AccountAction.MAKE_ALONE: (_PASSWORD,),
    AccountAction.MAKE_NOT_ALONE: (_PASSWORD,),
    AccountAction.NEW_RECOVERY: (_PASSWORD,),
    AccountAction.KEEP_NAME: (_PASSWORD,),
    AccountAction.TELL_SERVER: (),
    AccountAction.TELL_NO_MORE: (),
    AccountAction.SIGN_OUT: (_SECRET,),
    AccountAction.SIGN_OUT_AND_WIPE: (_SECRET,),
    AccountAction.WIPE: (_NAME,),
    AccountAction.DELETE: (_NAME, _SECRET),
}


class AccountBoard(PlainBoard):
    """Read again whenever something of it changed. What was typed is handed on, and kept nowhere here."""

    def __init__(self, prompting: Prompting, calendar: Calendar) -> None:
        super().__init__()
        self._prompting = prompting
        self._calendar = calendar
        self._name = UserName("")
        self._words: tuple[str, ...] = ()
        self._keeping = False

    def keep_name(self) -> None:
        """Once the page has come, ask for what keeping the name takes."""
        self._keeping = True

    def open(self, batch: Batch) -> None:
        batch.ask(ReadAccount())

    def close(self, batch: Batch) -> None:
        super().close(batch)
        self._words = ()

    def read(self, fact: PageFact, batch: Batch) -> None:
        match fact:
            case AccountRead(name=name, words=words):
                self._name, self._words = name, words
                self._show(account_page(fact, self._calendar), batch)
                keeping, self._keeping = self._keeping, False
                if keeping and fact.reset_at_ms is not None:
                    self.act("", AccountAction.KEEP_NAME.value, batch)
            case RecoveryKeyMade(words=words):
                self._words = words
                self.open(batch)
                self._show_words(batch)
            case _:
                pass

    def act(self, key: str, action: str, batch: Batch) -> None:
        del key
        wanted = AccountAction(action)
        if wanted is AccountAction.SHOW_RECOVERY:
            self._show_words(batch)
            return
        label, about = _TEXTS[wanted]
        prompt = Prompt(label.value, about.value, _FIELDS[wanted], label.value)
        self._prompting.ask(prompt, lambda answer, _: self._wanted(wanted, answer), batch)

    def happened(self, event: Event, batch: Batch) -> None:
        if isinstance(event, DevicesChanged | IdentityReplaced | NameReset | VaultRenewed):
            self.open(batch)

    def done(self, intent: Intent, batch: Batch) -> None:
        match intent:
            case Leave(farewell=farewell):
                batch.show(AccountLeft(wiped=farewell is not Farewell.SIGN_OUT))
            case ChangePassword() | WrapWithPassword() | RecoveryKeyKept() | KeepName() | TellServer():
                self.open(batch)
            case _:
                pass

    def _wanted(self, action: AccountAction, answer: Answer) -> Intent | str:
        """What the answer asks for, or what is wrong with it."""
        if action in _NAMED and answer[NAME].strip().casefold() != self._name.casefold():
            return PageText.OTHER_NAME.value
        secret = answer.get(SECRET, "")
        match action:
            case AccountAction.CHANGE_PASSWORD | AccountAction.NEW_IDENTITY:
                if answer[NEW] != answer[AGAIN]:
                    return FormText.PASSWORD_MISMATCH.value
                wanted = ChangePassword if action is AccountAction.CHANGE_PASSWORD else MakeIdentity
                return wanted(secret, answer[NEW])
            case AccountAction.MAKE_ALONE:
                return WrapWithPassword(secret, Wrapping.ALONE)
            case AccountAction.MAKE_NOT_ALONE:
                return WrapWithPassword(secret, Wrapping.NOT_ALONE)
            case AccountAction.NEW_RECOVERY:
                return MakeRecoveryKey(secret)
            case AccountAction.KEEP_NAME:
                return KeepName(secret)
            case AccountAction.TELL_SERVER:
                return TellServer(Telling.TOLD)
            case AccountAction.TELL_NO_MORE:
                return TellServer(Telling.NOT_TOLD)
            case _:
                return Leave(_FAREWELLS[action], secret)

    def _show_words(self, batch: Batch) -> None:
        """The words of the recovery key, then two of them are asked back."""
        prompt = Prompt(
            FormText.RECOVERY_TITLE.value,
            FormText.RECOVERY_SUBTITLE.value,
            (),
            FormText.WRITTEN_DOWN.value,
            self._words,
        )
        self._prompting.ask(prompt, lambda _, later: self._ask_back(later), batch)

    def _ask_back(self, batch: Batch) -> None:
        words = self._words
        places = sorted(secrets.SystemRandom().sample(range(len(words)), WORDS_ASKED))
        fields = tuple(
            PromptField(str(place), FormText.CHECK_WORD.format(number=place + 1)) for place in places
        )

        def checked(answer: Answer, _: Batch) -> Intent | str:
            for place in places:
                if answer[str(place)].strip().casefold() != words[place]:
                    return FormText.NOT_THAT_WORD.format(number=place + 1)
            return RecoveryKeyKept()

        prompt = Prompt(
            FormText.CHECK_TITLE.value, FormText.CHECK_SUBTITLE.value, fields, FormText.CHECK.value
        )
        self._prompting.ask(prompt, checked, batch)


def account_page(read: AccountRead, calendar: Calendar) -> Page:
    """What the account is, what opens it, how to leave it."""
    alone = read.wrapping is Wrapping.ALONE
    turn = AccountAction.MAKE_NOT_ALONE if alone else AccountAction.MAKE_ALONE
    recovery = [AccountAction.NEW_RECOVERY]
    if read.words:
        recovery.insert(0, AccountAction.SHOW_RECOVERY)
    rows = [
        *_reset(read, calendar),
        PageRow("name", PageText.NAME.value, read.name, ""),
        PageRow(
            "account",
            PageText.ACCOUNT_ID.value,
            read.account.hex(),
            PageText.ACCOUNT_ID_NOTE.value,
            actions=_actions(AccountAction.NEW_IDENTITY),
        ),
        PageRow("server", PageText.SERVER.value, read.server, ""),
        PageRow(
            "password",
            PageText.PASSWORD_ROW.value,
            (PageText.ALONE if alone else PageText.NOT_ALONE).value,
            "" if read.last_device else PageText.OTHERS_KEEP.value,
            actions=_actions(AccountAction.CHANGE_PASSWORD, turn),
        ),
        PageRow(
            "recovery",
            PageText.RECOVERY_ROW.value,
            (PageText.RECOVERY_PENDING if read.words else PageText.RECOVERY_VALUE).value,
            "",
            actions=_actions(*recovery),
        ),
        _unreadable(read.unreadable),
        *_leaving(read),
    ]
    return Page(PageText.ACCOUNT.value, PageText.ACCOUNT_ABOUT.value, tuple(rows))


def _reset(read: AccountRead, calendar: Calendar) -> list[PageRow]:
    if read.reset_at_ms is None:
        return []
    day, time = calendar.day(read.reset_at_ms), calendar.time(read.reset_at_ms)
    value = PageText.RESET_VALUE.format(day=day.isoformat(), time=time)
    actions = _actions(AccountAction.KEEP_NAME)
    return [PageRow("reset", PageText.RESET_ROW.value, value, PageText.RESET_NOTE.value, actions=actions)]


def _unreadable(counted: Unreadable) -> PageRow:
    text = PageText.UNREADABLE_VALUE if counted.now else PageText.UNREADABLE_NONE
    note = PageText.SERVER_TOLD if counted.told else PageText.SERVER_NOT_TOLD
    turn = AccountAction.TELL_NO_MORE if counted.told else AccountAction.TELL_SERVER
    value = text.format(now=counted.now, ever=counted.ever)
    return PageRow("unreadable", PageText.UNREADABLE_ROW.value, value, note.value, actions=_actions(turn))


def _leaving(read: AccountRead) -> list[PageRow]:
    leave = _actions(AccountAction.SIGN_OUT, AccountAction.SIGN_OUT_AND_WIPE, AccountAction.WIPE)
    note = PageText.LAST_DEVICE.value if read.last_device else ""
    return [
        PageRow("leaving", PageText.LEAVING.value, "", "", heading=True),
        PageRow("sign-out", PageText.SIGN_OUT_ROW.value, PageText.SIGN_OUT_VALUE.value, note, actions=leave),
        PageRow(
            "delete",
            PageText.DELETE_ROW.value,
            PageText.DELETE_VALUE.value,
            "",
            actions=_actions(AccountAction.DELETE),
        ),
    ]


def _actions(*wanted: AccountAction) -> tuple[PageAction, ...]:
    return tuple(PageAction(each.value, _TEXTS[each][0].value) for each in wanted)
