"""Commands of which only the store takes notice."""

from __future__ import annotations

from typing import assert_never

from coterie.client.commands import KeepDraft, RecoveryKeyShown
from coterie.client.store.records import DropSetting, PutDraft, Record, Setting


def kept(command: KeepDraft | RecoveryKeyShown) -> Record:
    """What is to be written."""
    match command:
        case KeepDraft(conversation, draft):
            return PutDraft(conversation, draft)
        case RecoveryKeyShown():
            return DropSetting(Setting.PENDING_RECOVERY_KEY)
        case _:
            assert_never(command)
