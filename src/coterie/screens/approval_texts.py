"""What people are told while a device joins their account, on both sides."""

from __future__ import annotations

from enum import StrEnum


class ApprovalText(StrEnum):
    # on the new device
    ASKED = "Waiting for one of your devices. There, run one of these:"
    WITH_CODE = "coterie devices approve --code {code}"
    WITH_EMOJI = "coterie devices approve"
    WITH_EMOJI_ABOUT = "the second one shows seven emoji to compare"
    BY_CODE = "The code has arrived. The device joins ..."
    # on the one that agrees
    LOOKING = "Looking for devices that want to join. There, run: coterie login {name} --server ... --approve"
    JOINER = 'A device that calls itself "{device}" wants to join your account'
    WARNING = (
        "It will read and write everything from then on, as you. Go on only where it is in your own hands"
    )
    APPROVED = "{device} is a device of this account now"
    # on both
    COMPARE = "Does the other device show the same, in this order? yes or no"
    YES_OR_NO = "yes or no?"
    OTHER_SIDE = "Now say yes on the other device, too ..."
    DIFFERENT = "Then somebody may stand between them. Nothing was given to it"
    UNNAMED = "device"
