"""A server that stands between a device that wants to join and the account's own (encryption rule 8): over
real sockets, with a whole exchange of its own on each side."""

from __future__ import annotations

import asyncio
import secrets

import pytest

import coterie
from coterie.base.errors import SealBroken
from coterie.base.ids import AccountId, DeviceId, UserName
from coterie.base.invite import parse_invite
from coterie.client.emoji import emoji_of
from coterie.e2ee import approval
from coterie.e2ee.approval import Approving, Candidate, Joining
from coterie.e2ee.pairwise import Party
from coterie.e2ee.vodo import DeviceKeys
from coterie.server.approvals import Approvals
from coterie.server.connection import Connection
from coterie.wire.frames import ApprovalRelayed, AskApproval, RelayApproval
from tests.village.conftest import PATIENCE_SECONDS, Village
from tests.village.test_approval import asking

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]

MALLORY = Party(AccountId(b"m" * 32), DeviceId(b"m" * 16), b"M" * 32)


class Between:
    """In place of the server's own handing on. Towards the new device it is a device of the account,
    towards the account's device it is the new one.

    borrows: whether it asks the account's device by the genuine rendezvous, in all that it signs.
    """

    def __init__(self, village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
        invite = parse_invite(village.invite)
        assert invite.fingerprint is not None
        self._server = AccountId(invite.fingerprint)
        self.keys = DeviceKeys.create()
        self.borrows = False
        self._patch = monkeypatch
        self.heard: list[bytes] = []
        """What the account's device has said to the server's."""
        self._asks = Approvals.ask
        between = self

        async def ask(
            approvals: Approvals, newcomer: Connection, frame: AskApproval, now_seconds: float
        ) -> None:
            await between.ask(approvals, newcomer, frame, now_seconds)

        async def relay(
            approvals: Approvals, connection: Connection, frame: RelayApproval, now_seconds: float
        ) -> None:
            between.relay(approvals, connection, frame)

        monkeypatch.setattr(Approvals, "ask", ask)
        monkeypatch.setattr(Approvals, "relay", relay)

    async def ask(
        self, approvals: Approvals, newcomer: Connection, frame: AskApproval, now_seconds: float
    ) -> None:
        self.genuine, self._new = frame, newcomer
        self.towards_new = Approving(
            frame.message, MALLORY, self._server, UserName(frame.name), frame.rendezvous
        )
        drawn = Candidate(
            DeviceId(secrets.token_bytes(16)), "second", self.keys.curve25519, self.keys.ed25519, 1
        )
        with self._patch.context() as patch:
            if self.borrows:
                patch.setattr(approval, "rendezvous_of", lambda _: frame.rendezvous)
            self.towards_alice = Joining(self._server, UserName(frame.name), drawn, self.keys.sign)
        shown = self.towards_alice.rendezvous
        own = AskApproval(frame.request, frame.name, shown, self.towards_alice.request)
        await self._asks(approvals, newcomer, own, now_seconds)

    def relay(self, approvals: Approvals, connection: Connection, frame: RelayApproval) -> None:
        say = approvals._connections.queue
        if connection is self._new:
            self.towards_new.revealed(frame.message)
            return
        self.heard.append(frame.message)
        if len(self.heard) == 1:
            reveal = self.towards_alice.answered(frame.message)
            say(connection, (ApprovalRelayed(frame.rendezvous, reveal),))
            say(self._new, (ApprovalRelayed(self.genuine.rendezvous, self.towards_new.answer),))


async def test_who_stands_between_shows_other_emoji_and_a_no_leaves_it_nothing(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack: the server has a device of its own admitted, while the person believes that it is the
    new one."""
    alice = await village.person("alice")
    between = Between(village, monkeypatch)
    async with await asking(village) as new, alice.joiners() as joiners:
        joiner = await joiners.next(PATIENCE_SECONDS)
        assert joiner.name == "second", "its words look genuine"
        shown, seen = await asyncio.gather(joiner.compare(), new.answered())
        assert len(shown) == len(seen) == 7
        assert shown != seen
        assert shown == emoji_of(between.towards_alice.emoji)
        assert seen == emoji_of(between.towards_new.emoji)
        await joiner.decline()
    assert len(between.heard) == 1, "the answer, and nothing that opens anything"
    assert len(alice.devices()) == 1
    assert coterie.profiles(village.home("second")) == ()


async def test_with_the_code_nobody_stands_between_and_no_person_is_needed_to_see_it(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack: the same, under the rendezvous of the code that was given."""
    alice = await village.person("alice")
    between = Between(village, monkeypatch)
    between.borrows = True
    async with await asking(village) as new, alice.joiners(new.code) as joiners:
        with pytest.raises(SealBroken):
            await joiners.next(PATIENCE_SECONDS)
    assert between.heard == []
    assert len(alice.devices()) == 1
