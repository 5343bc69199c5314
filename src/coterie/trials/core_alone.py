"""A client's core and store without a connection: turn by turn, carried out as client/runtime.py does it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from coterie.base.clock import SystemClock
from coterie.base.ids import StreamId
from coterie.client.commands import Command, Connected
from coterie.client.core.profile import unpack_profile
from coterie.client.core.switchboard import Switchboard
from coterie.client.outcome import Outcome
from coterie.client.store.keys import StoreWrapKind, open_database_key, read_key_file
from coterie.client.store.profiles import find_profile
from coterie.client.store.records import Setting
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.password import Argon2Parameters, stretch
from coterie.ledger.heads import Head, SignedHead
from coterie.trials.people import PASSWORD
from coterie.wire.frames import ClientFrame, Ready, ServerFrame

WAITING_ONE_TIME_KEYS = 50


class CoreAlone:
    """Everything that a message costs this device, and nothing of the network."""

    def __init__(self, store: ClientStore) -> None:
        self.store = store
        self.profile = unpack_profile(store.setting(Setting.PROFILE))
        self.core = Switchboard(store, self.profile)
        self._clock = SystemClock()
        self.incarnation = store.setting(Setting.INCARNATION) or b""
        self.turn((self._connected(),))

    def turn(self, inputs: Sequence[Command | ServerFrame], later_ms: int = 0) -> list[ClientFrame]:
        """One turn of the driver, so much later: every outcome applied, committed; what would be sent."""
        sent: list[ClientFrame] = []
        now_ms = self._clock.wall_ms() + later_ms
        self.store.begin()
        for each in inputs:
            sent += self._applied(self._steps(each, now_ms))
        sent += self._applied(self.core.after_turn(now_ms))
        self.store.commit()
        return sent

    def _applied(self, steps: Iterator[Outcome]) -> list[ClientFrame]:
        sent: list[ClientFrame] = []
        for outcome in steps:
            self.store.apply(outcome.save)
            sent.extend(outcome.send)
        return sent

    def position(self, stream: StreamId) -> int:
        """The last seq that is committed here."""
        row = self.store.position(stream)
        return row.seq if row else 0

    def _steps(self, each: Command | ServerFrame, now_ms: int) -> Iterator[Outcome]:
        if isinstance(each, Command):
            return self.core.command(each, now_ms)
        return self.core.frame(each, now_ms)

    def _connected(self) -> Connected:
        """As if the server had nothing new."""
        head = self.store.setting(Setting.HEAD) or b""
        size = Head.unpack(SignedHead.unpack(head).payload).size
        identity = self.store.setting(Setting.IDENTITY) or b""
        return Connected(Ready(1, (), size, head, WAITING_ONE_TIME_KEYS), self.incarnation, identity)


def open_core(home: Path) -> CoreAlone:
    """The profile of somebody who is not connected."""
    place = find_profile(home, None)
    file = read_key_file(place)
    parameters = Argon2Parameters(file.memory_kib, file.passes, file.lanes)
    keys = stretch(PASSWORD, file.founding, file.name, file.random, parameters)
    return CoreAlone(ClientStore.open(place, open_database_key(file, StoreWrapKind.PASSWORD, keys.store)))
