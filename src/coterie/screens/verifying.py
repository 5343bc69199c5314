"""What people are told while they verify somebody, in the window and on the command line."""

from __future__ import annotations

from typing import Final, assert_never

from coterie.base.changed_by import ChangedBy
from coterie.client.events import (
    ContactDeviceQuestion,
    EmojiToCompare,
    EndReason,
    IdentityChanged,
    NameReset,
    Person,
    ResetState,
    VerificationAsked,
    VerificationEnded,
    Verified,
)
from coterie.screens.i18n import Text, say
from coterie.screens.moments import Calendar

Verifying = (
    Verified
    | VerificationAsked
    | EmojiToCompare
    | VerificationEnded
    | ContactDeviceQuestion
    | IdentityChanged
)

_RESETS: Final = {
    ResetState.ANNOUNCED: Text.RESET_ANNOUNCED,
    ResetState.CANCELLED: Text.RESET_CANCELLED,
    ResetState.IN_EFFECT: Text.RESET_IN_EFFECT,
}
_OWN_RESETS: Final = {
    ResetState.ANNOUNCED: Text.OWN_RESET_ANNOUNCED,
    ResetState.CANCELLED: Text.OWN_RESET_CANCELLED,
    ResetState.IN_EFFECT: Text.OWN_RESET_IN_EFFECT,
}
_CHANGED_BY: Final[dict[ChangedBy, Text]] = {
    ChangedBy.RESET: Text.PERSON_CHANGED,
    ChangedBy.DEVICE: Text.PERSON_CHANGED_BY_DEVICE,
    ChangedBy.RECOVERY: Text.PERSON_CHANGED_BY_RECOVERY,
}
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
            return say(Text.VERIFIED_NOW if event.person.verified else Text.VERIFIED_NO_MORE, name=name)
        case VerificationAsked():
            return say(Text.VERIFY_ASKED, name=name)
        case EmojiToCompare(_, emoji):
            return say(Text.VERIFY_EMOJI, name=name, emoji=", ".join(each.name for each in emoji))
        case VerificationEnded(_, reason):
            return say(_ENDED[reason], name=name)
        case ContactDeviceQuestion(_, device):
            return say(Text.CONTACT_DEVICE, name=name, device=device.name or say(Text.DEVICE_UNNAMED))
        case IdentityChanged(person, changed_ms, was_verified, by):
            return changed_line(person.name, changed_ms, verified=was_verified, by=by)
        case _:
            assert_never(event)


def devices_line(person: Person, by_recovery: bool, published_ms: int, calendar: Calendar) -> str:
    """Whose devices are others now, and who published that, as the ledger supports it."""
    if person.me:
        return say(Text.OWN_DEVICE_RECOVERED if by_recovery else Text.OWN_DEVICES_CHANGED)
    key = Text.DEVICE_RECOVERED if by_recovery else Text.DEVICES_CHANGED
    return say(key, name=person.name, when=calendar.day_words(published_ms))


def reset_line(event: NameReset) -> str:
    """A name that begins anew, somebody's or one's own."""
    texts = _OWN_RESETS if event.own else _RESETS
    return say(texts[event.state], name=event.name)


def identity_line(name: str, changed_ms: int, by: ChangedBy, calendar: Calendar) -> str:
    """What the ledger supports of somebody's new identity. changed_ms: as in IdentityChanged; of a reset what
    the new identity says of itself is not asked."""
    return say(_CHANGED_BY[by], name=name, when=calendar.day_words(changed_ms))


def changed_line(name: str, changed_ms: int, *, verified: bool, by: ChangedBy = ChangedBy.RESET) -> str:
    """The same, and what to do about it."""
    what = Text.CHANGED_VERIFY if verified else Text.CHANGED_ACCEPT
    return f"{identity_line(name, changed_ms, by, Calendar())}. {say(what, name=name)}"
