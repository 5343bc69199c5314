"""What this device and one that wants to join say to each other, through the server (docs/protocol.md 3.12).

Handed on both ways and nowhere kept: the exchange itself lives in client/api/admitting.py, for as long as a
person looks at it.
"""

from __future__ import annotations

from typing import assert_never

from coterie.base.codes import Code
from coterie.client.commands import AnswerDevice, LeaveDevice, WatchForDevices
from coterie.client.core.requests import ApprovalsWatched, Requests
from coterie.client.events import ApprovalHeard, ApprovalsRefused, ApprovalStep
from coterie.client.outcome import Outcome
from coterie.wire.frames import (
    ApprovalAsked,
    ApprovalEnded,
    ApprovalRelayed,
    EndApproval,
    RelayApproval,
    WatchApprovals,
)


class Approvals:
    """Holds nothing."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    def tell(self, command: WatchForDevices | AnswerDevice | LeaveDevice, now_ms: int) -> Outcome:
        """What the person here does. Where there is no connection nothing is said."""
        match command:
            case WatchForDevices(seconds, rendezvous):
                request = self._requests.new(ApprovalsWatched(), now_ms)
                return Outcome(send=(WatchApprovals(request, seconds, rendezvous),))
            case AnswerDevice(rendezvous, message):
                return Outcome(send=(RelayApproval(rendezvous, message),))
            case LeaveDevice(rendezvous):
                return Outcome(send=(EndApproval(rendezvous),))
            case _:
                assert_never(command)

    def heard(self, frame: ApprovalAsked | ApprovalRelayed | ApprovalEnded) -> Outcome:
        """What the other side says."""
        match frame:
            case ApprovalAsked(rendezvous, message):
                event = ApprovalHeard(rendezvous, ApprovalStep.ASKED, message)
            case ApprovalRelayed(rendezvous, message):
                event = ApprovalHeard(rendezvous, ApprovalStep.RELAYED, message)
            case ApprovalEnded(rendezvous):
                event = ApprovalHeard(rendezvous, ApprovalStep.ENDED)
            case _:
                assert_never(frame)
        return Outcome(show=(event,))

    def refused(self, code: Code, retry_after_ms: int) -> Outcome:
        """The server does not tell of new devices now."""
        return Outcome(show=(ApprovalsRefused(code, retry_after_ms),))
