"""Every action with its keys, once: menus, shortcuts, list of keys and the terminal's bindings read it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from coterie.screens.i18n import Action as ActionText


class ActionId(StrEnum):
    SEND = "send"
    NEW_LINE = "new-line"
    SWITCH = "switch"
    FIND_HERE = "find-here"
    FIND_EVERYWHERE = "find-everywhere"
    NEXT_FOUND = "next-found"
    PREVIOUS_FOUND = "previous-found"
    SHOW_FOUND = "show-found"
    NEXT = "next"
    PREVIOUS = "previous"
    NEXT_UNREAD = "next-unread"
    WRITE = "write"
    PAGE_UP = "page-up"
    PAGE_DOWN = "page-down"
    OLDEST = "oldest"
    NEWEST = "newest"
    COPY = "copy"
    APPEARANCE = "appearance"
    PERSON = "person"
    MESSAGE = "message"
    ACCOUNT = "account"
    DEVICES = "devices"
    SERVER_SEES = "server-sees"
    KEYS = "keys"


class Key(msgspec.Struct, frozen=True):
    """A key with what is held down, free of any toolkit: name is "Return", "Page_Up", "k", "slash"."""

    name: str
    control: bool = False
    shift: bool = False
    alt: bool = False

    def shown(self) -> str:
        """As people read it: "Ctrl+K"."""
        held = [word for word, on in (("Ctrl", self.control), ("Alt", self.alt), ("Shift", self.shift)) if on]
        return "+".join([*held, _SHOWN.get(self.name, self.name.upper())])


class Where(StrEnum):
    """What has to have the focus for an action's keys."""

    ANYWHERE = "anywhere"
    COMPOSER = "composer"
    SEARCH = "search"


class Action(msgspec.Struct, frozen=True):
    id: ActionId
    text: str
    keys: tuple[Key, ...]
    where: Where = Where.ANYWHERE


_SHOWN: Final = {
    "Return": "Enter",
    "Prior": "Page Up",
    "Next": "Page Down",
    "Home": "Home",
    "End": "End",
    "Up": "Up",
    "Down": "Down",
    "Escape": "Esc",
    "slash": "/",
}

ACTIONS: Final = (
    Action(ActionId.SEND, ActionText.SEND, (Key("Return"),), where=Where.COMPOSER),
    Action(ActionId.NEW_LINE, ActionText.NEW_LINE, (Key("Return", shift=True),), where=Where.COMPOSER),
    Action(ActionId.SWITCH, ActionText.SWITCH, (Key("k", control=True),)),
    Action(ActionId.FIND_HERE, ActionText.FIND_HERE, (Key("f", control=True),)),
    Action(ActionId.FIND_EVERYWHERE, ActionText.FIND_EVERYWHERE, (Key("f", control=True, shift=True),)),
    Action(ActionId.NEXT_FOUND, ActionText.NEXT_FOUND, (Key("Down"),), where=Where.SEARCH),
    Action(ActionId.PREVIOUS_FOUND, ActionText.PREVIOUS_FOUND, (Key("Up"),), where=Where.SEARCH),
    Action(ActionId.SHOW_FOUND, ActionText.SHOW_FOUND, (Key("Return"),), where=Where.SEARCH),
    Action(ActionId.NEXT, ActionText.NEXT, (Key("Down", alt=True),)),
    Action(ActionId.PREVIOUS, ActionText.PREVIOUS, (Key("Up", alt=True),)),
    Action(ActionId.NEXT_UNREAD, ActionText.NEXT_UNREAD, (Key("Down", alt=True, shift=True),)),
    Action(ActionId.WRITE, ActionText.CLOSE, (Key("Escape"),)),
    Action(ActionId.PAGE_UP, ActionText.PAGE_UP, (Key("Prior"),)),
    Action(ActionId.PAGE_DOWN, ActionText.PAGE_DOWN, (Key("Next"),)),
    Action(ActionId.OLDEST, ActionText.OLDEST, (Key("Home", control=True),)),
    Action(ActionId.NEWEST, ActionText.NEWEST, (Key("End", control=True),)),
    Action(ActionId.COPY, ActionText.COPY, (Key("c", control=True),)),
    Action(ActionId.APPEARANCE, ActionText.APPEARANCE, (Key("l", control=True, shift=True),)),
    Action(ActionId.PERSON, ActionText.PERSON, (Key("i", control=True),)),
    Action(ActionId.MESSAGE, ActionText.MESSAGE, (Key("i", control=True, shift=True),)),
    Action(ActionId.ACCOUNT, ActionText.ACCOUNT, (Key("a", control=True, shift=True),)),
    Action(ActionId.DEVICES, ActionText.DEVICES, (Key("d", control=True, shift=True),)),
    Action(ActionId.SERVER_SEES, ActionText.SERVER_SEES, (Key("s", control=True, shift=True),)),
    Action(ActionId.KEYS, ActionText.KEYS, (Key("slash", control=True),)),
)


def action(of: ActionId) -> Action:
    """The action with the id."""
    return next(each for each in ACTIONS if each.id is of)


def key_list() -> tuple[tuple[str, str], ...]:
    """(keys, what they do), for the list of keys."""
    return tuple((", ".join(key.shown() for key in each.keys), each.text) for each in ACTIONS)
