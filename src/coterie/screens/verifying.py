"""What people are told while they verify somebody, in the window and on the command line."""

from __future__ import annotations

from typing import Final, assert_never

from coterie.client.events import (
    ContactDeviceQuestion,
    EmojiToCompare,
    EndReason,
    VerificationAsked,
    VerificationEnded,
    Verified,
)
from coterie.screens.i18n import Text, say

Verifying = Verified | VerificationAsked | EmojiToCompare | VerificationEnded | ContactDeviceQuestion

_ENDED: Final[dict[EndReason, Text]] = {
    EndReason.DECLINED: Text.VERIFY_DECLINED,
    EndReason.MISMATCH: Text.VERIFY_MISMATCH,
    EndReason.TIMED_OUT: Text.VERIFY_TIMED_OUT,
    EndReason.BROKEN: Text.VERIFY_BROKEN,
    EndReason.ELSEWHERE: Text.VERIFY_ELSEWHERE,
}


def verifying_line(event: Verifying) -> str:
    """One sentence about it."""
    name = event.person.name
    match event:
        case Verified():
            return say(Text.VERIFIED_NOW, name=name)
        case VerificationAsked():
            return say(Text.VERIFY_ASKED, name=name)
        case EmojiToCompare(_, emoji):
            return say(Text.VERIFY_EMOJI, name=name, emoji=", ".join(each.name for each in emoji))
        case VerificationEnded(_, reason):
            return say(_ENDED[reason], name=name)
        case ContactDeviceQuestion(_, device):
            return say(Text.CONTACT_DEVICE, name=name, device=device.name or say(Text.DEVICE_UNNAMED))
        case _:
            assert_never(event)
