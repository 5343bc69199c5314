"""Ghost devices through `stale-view`: the server's word never decides whom a client seals to (rule 21)."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.ids import DeviceId
from coterie.client.commands import Tick
from coterie.client.core.line import HOLD_MOST_MS, REPAIRS_AT_ONCE, RETRY_MS
from coterie.client.events import SendingStuck
from coterie.ledger.leaves import NO_LEAF, SERVER_NAME_HASH, Leaf, LeafKind
from coterie.wire.frames import Accepted, Claim, Envelopes, FetchLeaves, Refusal, Send, ServerFrame
from coterie.wire.frames.shared import DeviceRef
from tests.attacks.peers import SERVER, Peer
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


class Stubborn(Server):
    """Says for ever that the view is stale, and speaks of a ledger that is nowhere."""

    def sent(self, frame: Send) -> ServerFrame:
        refs = (DeviceRef(next(iter(self.peers)), GHOST),)
        return Refusal(frame.request, Code.STALE_VIEW.value, 0, refs, 1 << 40)


def test_a_server_that_always_says_stale_view_is_asked_ever_less(
    alice: Peer, bob: Victim, server: Server
) -> None:
    """Attack: each refusal makes the client fetch, repair and send again, as fast as the line carries it.
    Rule 21: the named size is a hint that is asked for once each time, and repairs in a row wait longer."""
    bob.server = Stubborn(server.ledger, server.peers, server.got)
    bob.say(alice, "held up")
    assert len(bob.server.sends()) == REPAIRS_AT_ONCE + 1
    assert len([frame for frame in server.got if isinstance(frame, FetchLeaves)]) <= REPAIRS_AT_ONCE + 2
    stuck = [each.code for each in bob.shown if isinstance(each, SendingStuck)]
    assert stuck == [Code.STALE_VIEW]
    pauses = []
    for _ in range(8):
        wake_ms = bob.core._sending.wake_at_ms
        assert wake_ms is not None
        pauses.append(wake_ms - bob.now_ms)
        before = len(bob.server.sends())
        bob.now_ms = wake_ms
        bob.command(Tick())
        assert len(bob.server.sends()) == before + 1
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (2 * RETRY_MS, HOLD_MOST_MS)
    bob.server = server
    bob.now_ms += HOLD_MOST_MS
    bob.command(Tick())
    assert {frame.ciphertext for frame in server.sends()} == {server.sends()[0].ciphertext}
    assert bob.store.outbox_conversations() == []


def test_what_is_sent_again_names_the_ledger_as_it_is_now(alice: Peer, bob: Victim, server: Server) -> None:
    """Rule 21: devices that came after the named size cannot refuse the message a second time; so the size
    has to be that of the view with which the refusal was looked at."""

    class Growing(GhostSeer):
        def sent(self, frame: Send) -> ServerFrame:
            if len(self.sends()) == 1:
                self.ledger.put(Leaf(LeafKind.SERVER, SERVER_NAME_HASH, SERVER, 1, b"h" * 32, NO_LEAF))
            return super().sent(frame)

    bob.server = Growing(server.ledger, server.peers, server.got)
    bob.say(alice, "for alice")
    first, again = bob.server.sends()
    assert (first.ledger_size, again.ledger_size) == (3, 4)
    assert first.ciphertext == again.ciphertext
