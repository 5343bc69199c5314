"""Commands of which only the store takes notice."""

from __future__ import annotations

from typing import assert_never

from coterie.client.commands import KeepDraft, RecoveryKeyShown, TellServer
from coterie.client.store.records import DropSetting, PutDraft, PutSetting, Record, Setting


def kept(command: KeepDraft | RecoveryKeyShown | TellServer) -> Record:
    """What is to be written."""
    match command:
        case KeepDraft(conversation, draft):
            return PutDraft(conversation, draft)
        case RecoveryKeyShown():
            return DropSetting(Setting.PENDING_RECOVERY_KEY)
        case TellServer(wanted):
            return PutSetting(Setting.HEALTH_TOLD, b"1") if wanted else DropSetting(Setting.HEALTH_TOLD)
        case _:
            assert_never(command)
