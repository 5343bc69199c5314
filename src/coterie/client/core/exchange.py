"""One comparison of emoji with somebody: its steps, what leads from one to the next, how long each waits.

Only this program knows of it: one that ends has ended its exchanges, and the other side's runs out.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from coterie.base import limits
from coterie.base.errors import SealBroken
from coterie.base.ids import AccountId, DeviceId
from coterie.client.shapes import ComparisonStep as Step
from coterie.e2ee.sas import Agreement, Answerer, Starter


class Happened(StrEnum):
    KEY_CAME = "key came"
    JOINED = "joined"
    KEY_REVEALED = "key revealed"
    SAID_YES = "said yes"


NEXT: Final[dict[tuple[Step, Happened], Step]] = {
    (Step.ASKED, Happened.KEY_CAME): Step.COMPARING,
    (Step.INVITED, Happened.JOINED): Step.ANSWERED,
    (Step.ANSWERED, Happened.KEY_REVEALED): Step.COMPARING,
    (Step.COMPARING, Happened.SAID_YES): Step.SAID_YES,
}
"""All that can happen. Anything else breaks the exchange."""

PATIENCE_MS: Final[dict[Step, int]] = {
    Step.ASKED: limits.VERIFY_PERSON_MS,
    Step.INVITED: limits.VERIFY_PERSON_MS,
    Step.ANSWERED: limits.VERIFY_DEVICE_MS,
    Step.COMPARING: limits.VERIFY_PERSON_MS,
    Step.SAID_YES: limits.VERIFY_PERSON_MS,
}


class Exchange:
    """id: 16 bytes of the starter; half: this side's key; device: the other's, once it is known which."""

    def __init__(
        self,
        id: bytes,
        peer: AccountId,
        device: DeviceId | None,
        half: Starter | Answerer,
        step: Step,
        now_ms: int,
    ) -> None:
        self.id = id
        self.peer = peer
        self.device = device
        self.half = half
        self.step = step
        self.until_ms = now_ms + PATIENCE_MS[step]
        self.agreement: Agreement | None = None
        self.their_yes = b""
        """The other side's confirmation, where it came before this person's word."""

    def go(self, happened: Happened, now_ms: int) -> None:
        """To the next step. Raises SealBroken where this cannot happen now."""
        after = NEXT.get((self.step, happened))
        if after is None:
            raise SealBroken("a step out of order")
        self.step = after
        self.until_ms = now_ms + PATIENCE_MS[after]
