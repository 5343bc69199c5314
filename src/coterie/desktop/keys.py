"""The actions of screens/actions.py as Tk bindings, menu entries and the list of keys."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Mapping
from typing import Final

from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.kit import Kit
from coterie.screens.actions import ACTIONS, Action, ActionId, Key, Where, key_list
from coterie.screens.i18n import Text, say

Calls = Mapping[ActionId, Callable[[], object]]
PAD_PX: Final = 24
MENU_PAD_PX: Final = 4


def sequences(key: Key) -> tuple[str, ...]:
    """Tk's names of a key. A letter is bound in both cases: Caps Lock changes it."""
    held = [word for word, on in (("Control", key.control), ("Shift", key.shift), ("Alt", key.alt)) if on]
    names = (key.name, key.name.upper()) if len(key.name) == 1 else (key.name,)
    return tuple(f"<{'-'.join([*held, 'Key', name])}>" for name in dict.fromkeys(names))


def bind(widgets: tuple[tk.Misc, ...], calls: Calls, where: Where = Where.ANYWHERE) -> None:
    """Bind every action of a place that is called here, on each of the widgets that can have the focus."""
    for action in ACTIONS:
        call = calls.get(action.id)
        if call is None or action.where is not where:
            continue
        for widget in widgets:
            for key in action.keys:
                for sequence in sequences(key):
                    widget.bind(sequence, _calling(call))


def _calling(call: Callable[[], object]) -> Callable[[object], str]:
    def called(_event: object) -> str:
        call()
        return "break"

    return called


def dress_menu(menu: tk.Menu, kit: Kit) -> None:
    """Empty a menu, and give it the look of the theme."""
    colours = kit.colours
    menu.delete(0, "end")
    menu.configure(
        background=colours.field,
        foreground=colours.text,
        activebackground=colours.selected,
        activeforeground=colours.selected_text,
        font=kit.faces[FaceName.BODY].font,
        relief="flat",
        borderwidth=MENU_PAD_PX,
        activeborderwidth=MENU_PAD_PX,
    )


def fill_menu(menu: tk.Menu, kit: Kit, calls: Calls) -> None:
    """The actions that are called here, with their keys."""
    dress_menu(menu, kit)
    for action in ACTIONS:
        call = calls.get(action.id)
        if call is not None and not action.where is not Where.ANYWHERE:
            menu.add_command(label=action.text, accelerator=_first(action), command=call)


def _first(action: Action) -> str:
    return action.keys[0].shown() if action.keys else ""


class KeyList(tk.Frame):
    """The list of keys, over the timeline until a key or a click takes it away."""

    def __init__(self, parent: tk.Misc, kit: Kit, on_close: Callable[[], None]) -> None:
        colours = kit.colours
        super().__init__(parent, background=colours.panel, padx=PAD_PX, pady=PAD_PX)
        title = tk.Label(self, text=say(Text.KEYS_TITLE), font=kit.faces[FaceName.HEADING].font)
        title.grid(row=0, column=0, columnspan=2, sticky="w", pady=(0, PAD_PX // 2))
        title.configure(background=colours.panel, foreground=colours.text)
        for place, (keys, what) in enumerate(key_list(), 1):
            for column, (text, colour) in enumerate(((keys, colours.link), (what, colours.text))):
                label = tk.Label(self, text=text, font=kit.faces[FaceName.BODY].font, borderwidth=0, pady=0)
                label.configure(background=colours.panel, foreground=colour)
                label.grid(row=place, column=column, sticky="w", padx=(0, PAD_PX), pady=2)
                label.bind("<Button-1>", lambda _: on_close())
        self.bind("<Button-1>", lambda _: on_close())
        self.bind("<Key>", lambda _: on_close())
