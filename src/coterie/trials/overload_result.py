"""What an overload came to, and whether it is as it must be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import msgspec

from coterie.trials.talkers import Hearer, Speaker

ACCEPTED_SECONDS = 1.0
"""p99, from sending a message to its acknowledgement, of those that were accepted."""
GROWTH_BYTES = 256 << 20
"""What a server may have more in memory under overload than before."""
LEAST_BUSY_MS = 100
"""Whoever is beyond the rate of their account hears of less: a hundredth of a second is one message."""
TENTHS = 10


class Samples:
    """Memory of the server, from the moment before the overload."""

    def __init__(self, before_bytes: int) -> None:
        self.before_bytes = before_bytes
        self._all: list[int] = []

    def add(self, bytes: int) -> None:
        self._all.append(bytes)

    @property
    def most_bytes(self) -> int:
        return max(self._all, default=self.before_bytes)

    def curve_mib(self) -> tuple[int, ...]:
        """The most in each tenth of the time."""
        size = max(1, -(-len(self._all) // TENTHS))
        slices = [self._all[at : at + size] for at in range(0, len(self._all), size)]
        return tuple(max(each) >> 20 for each in slices)


def count_by_quota(speakers: Sequence[Speaker]) -> int:
    """How often an account's own rate was what refused until now. While all that waits is taken, the last of
    them may well come to it."""
    return sum(ms < LEAST_BUSY_MS for speaker in speakers for ms in speaker.busy_ms)


class OverloadResult(msgspec.Struct, frozen=True, kw_only=True):
    """Rates in messages a second, times in seconds, memory in MiB. accepted_rate: while three times as much
    was offered. busy: refusals with a time to wait; by_quota: of an account's own rate until then, which
    must not be what limits. again: refused since one before it was. quiet: of the pair that says little.
    lost, doubled: of all that was acknowledged. undrained: what still waited when there was no more patience.
    """

    seconds: float
    sustained_rate: float
    offered: int
    accepted: int
    accepted_rate: float
    busy: int
    by_quota: int
    again: int
    speakers_busy: int
    p50_seconds: float
    p99_seconds: float
    most_seconds: float
    quiet_p50_seconds: float
    quiet_most_seconds: float
    quiet_busy: int
    drained_seconds: float
    undrained: int
    memory_before_mib: int
    memory_most_mib: int
    memory_curve_mib: tuple[int, ...]
    lost: int
    doubled: int
    refused: int

    @classmethod
    def of(
        cls,
        seconds: float,
        rate: float,
        accepted: int,
        by_quota: int,
        drained_seconds: float,
        samples: Samples,
        taken: Sequence[Sequence[float]],
        speakers: Sequence[Speaker],
        hearers: Sequence[Hearer],
    ) -> Self:
        """taken: for each speaker how long its messages took; the last one is the quiet one."""
        times = sorted(each for of_one in taken[:-1] for each in of_one)
        quiet = sorted(taken[-1])
        waits = [ms for speaker in speakers for ms in speaker.busy_ms]
        unheard = sum(
            max(0, speaker.acknowledged - hearer.count)
            for speaker, hearer in zip(speakers, hearers, strict=True)
        )
        return cls(
            seconds=seconds,
            sustained_rate=round(rate, 1),
            offered=sum(speaker.arrived for speaker in speakers),
            accepted=accepted,
            accepted_rate=round(accepted / seconds, 1),
            busy=len(waits),
            by_quota=by_quota,
            again=sum(speaker.again for speaker in speakers),
            speakers_busy=sum(bool(speaker.busy_ms) for speaker in speakers),
            p50_seconds=at_share(times, 0.5),
            p99_seconds=at_share(times, 0.99),
            most_seconds=at_share(times, 1.0),
            quiet_p50_seconds=at_share(quiet, 0.5),
            quiet_most_seconds=at_share(quiet, 1.0),
            quiet_busy=len(speakers[-1].busy_ms),
            drained_seconds=round(drained_seconds, 2),
            undrained=sum(speaker.waits for speaker in speakers),
            memory_before_mib=samples.before_bytes >> 20,
            memory_most_mib=samples.most_bytes >> 20,
            memory_curve_mib=samples.curve_mib(),
            lost=unheard + sum(hearer.lost for hearer in hearers),
            doubled=sum(s.misplaced for s in speakers) + sum(hearer.doubled for hearer in hearers),
            refused=sum(sum(speaker.refusals.values()) for speaker in speakers),
        )

    def missed(self) -> list[str]:
        """What is not as it must be, in words."""
        grown = (self.memory_most_mib - self.memory_before_mib) << 20
        wrong = {
            "something acknowledged was lost": bool(self.lost),
            "something acknowledged is there twice, or elsewhere": bool(self.doubled),
            "something was refused that time does not mend": bool(self.refused),
            "not everything that waited was taken in the end": bool(self.undrained),
            "nobody was told that the server is busy": not self.busy,
            "the rate of an account was what limited": bool(self.by_quota),
            f"p99 of accepted messages is above {ACCEPTED_SECONDS:g} s": self.p99_seconds > ACCEPTED_SECONDS,
            f"the server grew by more than {GROWTH_BYTES >> 20} MiB": grown > GROWTH_BYTES,
        }
        return [what for what, is_so in wrong.items() if is_so]


def at_share(ordered: Sequence[float], share: float) -> float:
    """Of values in order; 0.0 where there are none."""
    if not ordered:
        return 0.0
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 4)
