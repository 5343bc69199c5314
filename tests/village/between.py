"""A real server that stands between two devices of which one wants to join the other's account: whatever each
says of it goes through a hand of the server's, and may become something else."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from coterie.base.ids import DeviceId, UserName
from coterie.base.invite import parse_invite
from coterie.e2ee import approval
from coterie.e2ee.approval import Approving, Candidate, Form, Joining
from coterie.e2ee.pairwise import Party
from coterie.e2ee.vodo import DeviceKeys
from coterie.server.approvals import Approvals, Frame
from coterie.server.connection import Connection
from coterie.wire.frames import ApprovalAsked, ApprovalRelayed, AskApproval, RelayApproval, WatchApprovals
from tests.village.conftest import Village

ALICE = UserName("alice")


class Between:
    """asked, said_by_new, said_by_old: what it does with each, in the place of handing it on; None: what an
    honest server does. watched: what it does when somebody looks for requests."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: Callable[[AskApproval], None] | None = None
        self.watched: Callable[[WatchApprovals], None] | None = None
        self.said_by_new: Callable[[bytes], None] | None = None
        self.said_by_old: Callable[[bytes], None] | None = None
        self.requests: list[AskApproval] = []
        self.from_new: list[bytes] = []
        self.from_old: list[bytes] = []
        """All that each side has said so far, in order."""
        self._new: tuple[Connection, bytes] | None = None
        self._old: tuple[Connection, bytes] | None = None
        self._watching = b""
        hand_on = Approvals.hand_on
        between = self

        async def handed_on(
            approvals: Approvals, connection: Connection, frame: Frame, now_seconds: float
        ) -> None:
            if not between._took(approvals, connection, frame):
                await hand_on(approvals, connection, frame, now_seconds)

        monkeypatch.setattr(Approvals, "hand_on", handed_on)

    def show_old(self, request: bytes, rendezvous: bytes) -> None:
        """A request, to the device that looks for one."""
        assert self._old is not None
        self._old = (self._old[0], rendezvous)
        self._approvals._connections.queue(self._old[0], (ApprovalAsked(rendezvous, request),))

    def tell_old(self, message: bytes) -> None:
        self._tell(self._old, message)

    def tell_new(self, message: bytes) -> None:
        self._tell(self._new, message)

    def _tell(self, side: tuple[Connection, bytes] | None, message: bytes) -> None:
        assert side is not None
        self._approvals._connections.queue(side[0], (ApprovalRelayed(side[1], message),))

    def _took(self, approvals: Approvals, connection: Connection, frame: Frame) -> bool:
        """Whether it is handed on no further."""
        self._approvals = approvals
        match frame:
            case WatchApprovals(seconds) if seconds:
                self._old = (connection, frame.rendezvous)
                if self.watched is not None:
                    self.watched(frame)
                return False
            case AskApproval(rendezvous=rendezvous):
                self._new = (connection, rendezvous)
                self.requests.append(frame)
                if self.asked is not None:
                    self.asked(frame)
                return self.asked is not None
            case RelayApproval() if self._new is not None and connection is self._new[0]:
                self.from_new.append(frame.message)
                return _taken(self.said_by_new, frame.message)
            case RelayApproval():
                self.from_old.append(frame.message)
                return _taken(self.said_by_old, frame.message)
            case _:
                return False


def _taken(hand: Callable[[bytes], None] | None, message: bytes) -> bool:
    if hand is not None:
        hand(message)
    return hand is not None


class Mallory:
    """The server's own device, which wants to join in the place of the new one; and its own account's device,
    which answers the new one."""

    def __init__(self, village: Village, between: Between, rendezvous: bytes | None = None) -> None:
        """rendezvous: as the request of its device names it, None for one of its own."""
        server = parse_invite(village.invite).fingerprint
        assert server is not None
        self._server = server
        self._between = between
        keys = DeviceKeys.create()
        candidate = Candidate(
            DeviceId(b"m" * 16), "second", keys.curve25519, keys.ed25519, village.clock.wall_ms()
        )
        with pytest.MonkeyPatch.context() as patch:
            if rendezvous is not None:
                patch.setattr(approval, "rendezvous_of", lambda _: rendezvous)
            self.joining = Joining(server, ALICE, candidate, keys.sign)
        self.approving: Approving | None = None

    def stand_between(self, me: Party) -> None:
        """A full exchange with each of them. me: whom the new device is told that it speaks to."""

        def asked(frame: AskApproval) -> None:
            self.answer(frame, me, Form.EMOJI)
            self._between.show_old(self.joining.request, self.joining.rendezvous)

        self._between.asked = asked
        self._between.said_by_old = lambda said: self._between.tell_old(self.joining.answered(said))

    def answer(self, frame: AskApproval, me: Party, form: Form) -> None:
        """As a device of the account that somebody wants to join."""
        approving = Approving(frame.message, me, self._server, ALICE, frame.rendezvous)
        said = approval._heard(approving.answer, approval._Answer)
        self._between.said_by_new = approving.revealed
        self._between.tell_new(approval._messages.pack(msgspec.structs.replace(said, form=form)))
        self.approving = approving
