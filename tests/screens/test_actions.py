from __future__ import annotations

from collections import Counter

from coterie.screens.actions import ACTIONS, ActionId, Key, Where, action, key_list


def test_every_action_stands_there_once_with_keys_of_its_own() -> None:
    assert [each.id for each in ACTIONS] == list(ActionId)
    keys = Counter((key, each.where) for each in ACTIONS for key in each.keys)
    assert set(keys.values()) == {1}
    anywhere = {key for key, where in keys if where is Where.ANYWHERE}
    assert not anywhere & {key for key, where in keys if where is not Where.ANYWHERE}
    assert all(action(each.id) is each for each in ACTIONS)


def test_keys_are_shown_as_people_read_them() -> None:
    assert Key("k", control=True).shown() == "Ctrl+K"
    assert Key("Return", shift=True).shown() == "Shift+Enter"
    assert ("Ctrl+/", "Show this list of keys") in key_list()
    assert len(key_list()) == len(ACTIONS)
