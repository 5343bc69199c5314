"""Sign-ups, devices, removals, renewed keys, messages and lies in any order: nothing is ever sealed to a key
that does not stand in the ledger, and a server is accused where it signed two truths, and nowhere else.

COTERIE_ANY_LIES says how many orders are tried (`make garbage` tries 1000)."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from coterie.base import limits
from coterie.base.errors import CoterieError, SealBroken, SecurityStop
from coterie.base.ids import AccountId, DeviceId, MessageId, UserName
from coterie.base.signing import IdentityKeys
from coterie.client.commands import Disconnected, Say, Tick
from coterie.client.core.profile import ServerProof
from coterie.client.core.recorded import ledger_file
from coterie.client.outcome import Outcome
from coterie.client.store.profiles import new_profile
from coterie.client.store.records import PutSetting, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.content.body import Text
from coterie.e2ee.hybrid import XWingKey
from coterie.e2ee.vodo import GroupOut
from coterie.ledger.audit import audit
from coterie.wire.frames import ClientFrame, Envelopes, LedgerGrew
from coterie.wire.frames.messages import EnvelopeItem
from tests.attacks.lying import STATEMENT, founded, light
from tests.attacks.neighbours import Lie, Neighbour, Town
from tests.attacks.peers import EVERYONE, SERVER_KEYS
from tests.attacks.street import Victim

ORDERS = int(os.environ.get("COTERIE_ANY_LIES", "20"))
STEPS = 25
PEOPLE_MOST = 4
DEVICES_MOST = 4
ANY = st.integers(0, 1 << 16)


class Change(StrEnum):
    """What somebody does."""

    SIGN_UP = "sign up"
    ADD = "add a device"
    REMOVE = "remove one"
    RENEW = "renew all prekeys"


CHANGES = st.sampled_from(Change)
IDENTITY = IdentityKeys.generate()


class Watched(Victim):
    """Every envelope is looked at when it is sealed, under the view that it was sealed by."""

    town: Town
    seen: set[bytes]

    def committed(self, steps: Callable[[], Iterator[Outcome]]) -> list[ClientFrame]:
        frames = super().committed(steps)
        for frame in frames:
            for item in frame.items if isinstance(frame, Envelopes) else ():
                if item.envelope not in self.seen:
                    self.seen.add(item.envelope)
                    self._looked_at(item)
        return frames

    def _looked_at(self, item: EnvelopeItem) -> None:
        owner = self.town.peers[AccountId(item.account)]
        assert isinstance(owner, Neighbour), "nobody else has devices"
        _, leaf = self.core.trust.view.newest_of_account(owner.account) or (0, None)
        assert leaf is not None
        assert leaf.hash in owner.genuine, "sealed by a manifest that its owner never signed"
        entry = owner.genuine[leaf.hash].manifest.entry(DeviceId(item.device))
        assert entry is not None, "sealed for a device that the ledger does not have"
        assert entry.live, "sealed for a device that was removed"
        try:
            owner.opens(item, self.party)
        except SealBroken as broken:
            raise AssertionError("sealed to keys that its owner does not have") from broken


class AnyLies(RuleBasedStateMachine):
    """Bob's program, his neighbours, and a server that lies now and then."""

    @initialize()
    def found(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        place = new_profile(Path(self.folder.name), UserName("bob"), AccountId(bytes(32)))
        self.store = ClientStore.open(place, secrets.token_bytes(32))
        self.people: list[Neighbour] = []
        self.town = Town(founded())
        self.town.true = self.town.ledger
        self.bob = Watched(IDENTITY, "bob", self.store, self.town)
        self.bob.town, self.bob.seen = self.town, set()
        Neighbour.known_curves[self.bob.keys.ed25519] = self.bob.keys.curve25519
        proof = ServerProof(SERVER_KEYS.public.pack(), (), STATEMENT.pack())
        self.bob.apply(PutSetting(Setting.SERVER_PROOF, proof.pack()))
        self.town.peers[self.bob.account] = self.bob
        self.town.true.add(self.bob.signed)
        self.over = self.connected = False
        self.sign_up()
        self.connect()

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def does(self, step: Callable[[], None]) -> None:
        """As the runtime does: what is wrong with a frame ends the connection, a stop the program."""
        if self.over:
            return
        try:
            step()
        except SecurityStop:
            self._stopped()
        except CoterieError:
            self._hang_up()

    def _hang_up(self) -> None:
        if self.connected:
            self.bob.command(Disconnected(None, False))
        self.connected = False

    def _stopped(self) -> None:
        self._hang_up()
        self.bob.apply(*self.bob.core.trust.witness.proof())
        kept = self.bob.core.trust.witness.kept
        fraud = audit(ledger_file(self.store, kept)).fraud
        assert (fraud is not None) == (kept is not None), "accused with a proof, and only with one"
        self.over = kept is not None

    def _tell(self) -> None:
        """The ledger has grown."""
        if self.connected:
            self.does(lambda: self.bob.frame(LedgerGrew(self.town.ledger.head())))

    def somebody(self, number: int) -> Neighbour:
        return self.people[number % len(self.people)]

    def sign_up(self) -> None:
        new = Neighbour(f"neighbour{len(self.people)}")
        self.people.append(new)
        self.town.peers[new.account] = new
        self.town.true.add(new.signed)
        self._tell()

    def changes(self, change: Change, person: Neighbour) -> None:
        live = sum(entry.live for entry in person.entries)
        match change:
            case Change.SIGN_UP if len(self.people) < PEOPLE_MOST:
                self.sign_up()
            case Change.ADD if person.false is None and len(person.devices) < DEVICES_MOST:
                self.town.true.add(person.add_device())
            case Change.REMOVE if person.false is None and live > 1:
                self.town.true.add(person.remove_device())
            case Change.RENEW:
                for device in person.devices:
                    device.x_wings[max(device.x_wings) + 1] = XWingKey.generate()
            case _:
                pass
        self._tell()

    @rule(change=CHANGES, who=ANY)
    def somebody_changes(self, change: Change, who: int) -> None:
        self.changes(change, self.somebody(who))

    @rule(lie=st.sampled_from(Lie), change=CHANGES, who=ANY, also=st.booleans())
    def lies(self, lie: Lie, change: Change, who: int, also: bool) -> None:
        """The server begins to lie, things go on, and Bob writes."""
        person = self.somebody(who)
        if lie is not Lie.RUINED:
            self.town.begin(lie)
        elif person.false is None:
            self.town.ruin(person)
        self.changes(change, person)
        if also:
            self.start_again()
        self.say_to_all()
        self.does(lambda: self.bob.say(person, "to one"))

    @rule()
    def connect(self) -> None:
        self._hang_up()
        self.connected = True
        self.does(self.bob.connect)

    @rule()
    def start_again(self) -> None:
        self._hang_up()
        self.bob.core = self.bob.new_core()
        self.connect()

    @rule(who=ANY)
    def say(self, who: int) -> None:
        self.does(lambda: self.bob.say(self.somebody(who), "to one"))

    @rule()
    def say_to_all(self) -> None:
        message = MessageId(secrets.token_bytes(16))
        self.does(lambda: self.bob.command(Say(EVERYONE, b"", message, Text("to all"))))

    @rule(who=ANY)
    def hear(self, who: int) -> None:
        """A message with the head that everybody else sees."""
        if self.connected and not self.over:
            shown, mine = len(self.bob.texts(EVERYONE)), self.bob.core.trust.view
            self.does(lambda: self._heard(self.somebody(who)))
            size = self.town.true.view.size
            if len(self.bob.texts(EVERYONE)) > shown and size <= mine.size:
                assert mine.root(size) == self.town.true.view.root(), "heard of two ledgers, and went on"

    def _heard(self, person: Neighbour) -> None:
        olm = person.keys.start(self.bob.keys.curve25519, self.bob.one_time_key())
        person.devices[0].sessions.append(olm)
        out = GroupOut.create()
        self.bob.mail(person.envelope(olm, self.bob, person.share_of(out, EVERYONE).pack()))
        person.said += 1
        self.bob.log(person.message(out, EVERYONE, "hello", n=person.said, head=light(self.town.true)))

    @rule(hours=st.integers(1, 48))
    def time_passes(self, hours: int) -> None:
        self.bob.now_ms += hours * limits.HOUR_MS
        self.town.now_ms = self.bob.now_ms
        self.does(lambda: self.bob.command(Tick()))

    @rule()
    def repent(self) -> None:
        self.town.repent()
        self._tell()


AnyLies.TestCase.settings = settings(
    max_examples=ORDERS, stateful_step_count=STEPS, suppress_health_check=[HealthCheck.too_slow]
)
TestAnyLies = pytest.mark.slow(AnyLies.TestCase)
