"""How a profile is closed, whatever the disk allows: nothing is lost where it allows nothing."""

from __future__ import annotations

import logging

from coterie.base.errors import Unavailable
from coterie.client.signing_in import save
from coterie.client.store.records import PutSetting, Setting
from coterie.client.store.sqlite import ClientStore

log = logging.getLogger("coterie.client.closing")


def close_store(store: ClientStore) -> None:
    """Where there is no room to write its log into the file, that stays beside it, as after a kill."""
    try:
        store.close()
    except Unavailable as error:
        log.warning("the store was closed with its log beside it: %s", error)


def note_clean_stop(store: ClientStore) -> None:
    """Where there is no room for it, the next start takes this one for killed."""
    try:
        save(store, (PutSetting(Setting.CLEAN_STOP, b"1"),))
    except Unavailable as error:
        log.warning("that the profile was closed could not be noted: %s", error)
