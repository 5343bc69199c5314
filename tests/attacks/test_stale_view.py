"""Ghost devices through `stale-view`: the server's word never decides whom a client seals to (rule 21)."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.ids import DeviceId
from coterie.wire.frames import Accepted, Claim, Envelopes, Refusal, Send, ServerFrame
from coterie.wire.frames.shared import DeviceRef
from tests.attacks.peers import Peer
from tests.attacks.street import Server, Victim

GHOST = DeviceId(b"g" * 16)


class GhostSeer(Server):
    """Refuses the first message for a device that no manifest lists."""

    def sent(self, frame: Send) -> ServerFrame:
        if len(self.sends()) > 1:
            return Accepted(frame.request, 1)
        devices = tuple(DeviceRef(account, GHOST) for account in self.peers)
        return Refusal(frame.request, Code.STALE_VIEW.value, 0, devices, self.ledger.view.size)


def test_a_ghost_device_gets_no_key_and_is_said_to_be_unproven(
    alice: Peer, bob: Victim, server: Server
) -> None:
    """Attack: the server says that a device of Alice's, and one of Bob's own, lacks the key; neither stands
    in a manifest. Rule 21: no key is asked for or sealed, the server is told why, and the message goes
    on."""
    bob.server = GhostSeer(server.ledger, server.peers, server.got)
    bob.say(alice, "for alice")
    refused, again = bob.server.sends()
    assert (refused.message, refused.ciphertext) == (again.message, again.ciphertext)
    claimed = [ref.device for frame in server.got if isinstance(frame, Claim) for ref in frame.devices]
    frames = [frame for frame in server.got if isinstance(frame, Envelopes)]
    assert GHOST not in claimed
    assert {item.device for frame in frames for item in frame.items} == {alice.device}
    assert [(left.device, left.reason) for frame in frames for left in frame.left_out] == [
        (GHOST, Code.UNPROVEN.value)
    ] * len(server.peers)


def test_a_device_of_somebody_else_is_no_way_in(
    alice: Peer, mallory: Peer, bob: Victim, server: Server
) -> None:
    """Attack: the device named is a real one, of a member who is not in this conversation. Rule 21:
    recipients come from the manifests of the two who are."""

    class Widening(GhostSeer):
        def sent(self, frame: Send) -> ServerFrame:
            if len(self.sends()) > 1:
                return Accepted(frame.request, 1)
            refs = (DeviceRef(mallory.account, mallory.device),)
            return Refusal(frame.request, Code.STALE_VIEW.value, 0, refs, self.ledger.view.size)

    bob.server = Widening(server.ledger, server.peers, server.got)
    bob.say(alice, "for alice")
    assert len(bob.server.sends()) == 2
    assert bob.server.items_for(mallory) == []
