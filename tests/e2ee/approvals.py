"""A device that wants to join, one of the account, and whoever stands between."""

from __future__ import annotations

from coterie.base.ids import AccountId, DeviceId, UserName
from coterie.e2ee.approval import Approving, Candidate, Joining
from coterie.e2ee.approval_code import ApprovalCode
from coterie.e2ee.pairwise import Party
from coterie.e2ee.vodo import DeviceKeys

SERVER = AccountId(b"s" * 32)
NAME = UserName("alice")
ALICE = Party(AccountId(b"a" * 32), DeviceId(b"a" * 16), b"A" * 32)


class Newcomer:
    """A machine that has nothing but a name."""

    def __init__(self, name: str = NAME, server: AccountId = SERVER) -> None:
        self.keys = DeviceKeys.create()
        self.candidate = Candidate(
            DeviceId(b"n" * 16), "kitchen", self.keys.curve25519, self.keys.ed25519, 1_700_000_000_000
        )
        self.side = Joining(server, UserName(name), self.candidate, self.keys.sign)

    @property
    def code(self) -> ApprovalCode:
        return ApprovalCode.from_text(self.side.code)


def approver(
    request: bytes,
    rendezvous: bytes,
    code: ApprovalCode | None = None,
    me: Party = ALICE,
    name: str = NAME,
    server: AccountId = SERVER,
) -> Approving:
    return Approving(request, me, server, UserName(name), rendezvous, code)


def agreed(new: Newcomer, old: Approving) -> None:
    """Up to the point where both show emoji."""
    old.revealed(new.side.answered(old.answer))
