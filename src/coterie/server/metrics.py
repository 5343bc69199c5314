"""What is counted of a running server: how much, how long, never who.

Nothing here names an account, a device, a conversation or an address, and no figure is of one of them alone
(docs/decisions/0045-what-a-server-counts.md). What is counted for each message costs an addition.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from coterie.base.codes import Code
from coterie.server.exposition import Figure, Histogram, Kind

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
FRAMES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)

Gauges = Callable[[], Iterable[Figure | Histogram]]


class Metrics:
    """Counters since the start of the process; gauges are asked when somebody looks."""

    def __init__(self) -> None:
        self.messages = 0
        self.deliveries = 0
        self.envelopes = 0
        self.commits = 0
        self.failed_commits = 0
        self.failed_turns = 0
        self.records = 0
        self.connections_opened = 0
        self.connections_turned_away = 0
        self.received_bytes = 0
        self.sent_bytes = 0
        self.lane_full = 0
        self.refusals: defaultdict[str, int] = defaultdict(int)
        self.frames: defaultdict[type, int] = defaultdict(int)
        self.commit_seconds = Histogram(
            "coterie_commit_seconds", "How long one transaction takes, with everything on disk.", SECONDS
        )
        self.accepted_seconds = Histogram(
            "coterie_accepted_seconds", "From a message's arrival to its acknowledgement.", SECONDS
        )
        self.turn_frames = Histogram(
            "coterie_turn_frames", "Frames that are handled together, in a turn that has any.", FRAMES
        )
        self.arrived_at: list[float] = []
        """Of messages that are on disk, whose acknowledgements go out at the end of the turn."""
        self._gauges: list[Gauges] = []
        self._looked_at = True

    def refused(self, code: Code | str) -> None:
        self.refusals[str(code)] += 1

    def flushed(self, now: Callable[[], float]) -> None:
        """The end of a turn: the acknowledgements are out."""
        if self.arrived_at:
            seconds = now()
            self.accepted_seconds.observe_all([seconds - each for each in self.arrived_at])
            self.messages += len(self.arrived_at)
            self.arrived_at.clear()

    def ask(self, gauges: Gauges) -> None:
        """Figures to be asked for whenever somebody looks."""
        self._gauges.append(gauges)

    @property
    def is_looked_at(self) -> bool:
        """As somebody_looked(), without asking."""
        return self._looked_at

    def somebody_looked(self) -> bool:
        """Whether anybody has since this was asked last, or might soon."""
        looked, self._looked_at = self._looked_at, False
        return looked

    def figures(self) -> Iterable[Figure | Histogram]:
        """All there are, each name once."""
        self._looked_at = True
        yield from self._counters()
        yield self.commit_seconds
        yield self.accepted_seconds
        yield self.turn_frames
        for gauges in self._gauges:
            yield from gauges()

    def _counters(self) -> Iterable[Figure]:
        yield counter("messages", "Messages accepted, and on disk.", self.messages)
        yield counter(
            "deliveries", "Entries that went to somebody in the turn they came in.", self.deliveries
        )
        yield counter("envelopes", "Envelopes accepted, and on disk.", self.envelopes)
        yield counter("commits", "Transactions that hold.", self.commits)
        yield counter("failed_commits", "Transactions that could not be committed.", self.failed_commits)
        yield counter("failed_turns", "Turns that a bug or a missing database ended.", self.failed_turns)
        yield counter("records", "Records in transactions that hold.", self.records)
        yield counter("connections_opened", "Connections let in.", self.connections_opened)
        yield counter(
            "connections_turned_away", "Connections there was no room for.", self.connections_turned_away
        )
        yield counter("received_bytes", "Bytes of messages that came, without TLS.", self.received_bytes)
        yield counter("sent_bytes", "Bytes of messages that went, without TLS.", self.sent_bytes)
        yield counter("lane_full", "Requests that found the lane full.", self.lane_full)
        refusals = dict(self.refusals)
        yield Figure("coterie_refusals_total", Kind.COUNTER, "What was refused, by code.", refusals, "code")
        frames = {kind.__name__: count for kind, count in self.frames.items()}
        yield Figure("coterie_frames_total", Kind.COUNTER, "Frames handled, by kind.", frames, "frame")


def counter(name: str, help_text: str, value: float) -> Figure:
    return Figure(f"coterie_{name}_total", Kind.COUNTER, help_text, {"": value})


def gauge(name: str, help_text: str, value: float) -> Figure:
    return Figure(f"coterie_{name}", Kind.GAUGE, help_text, {"": value})
