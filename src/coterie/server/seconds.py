"""Whether a second has anything to do.

A turn once a second finds cold caches, and takes ten times as long as one of many: a still server takes none.
"""

from __future__ import annotations

from coterie.server.approvals import Approvals
from coterie.server.connections import Connections
from coterie.server.housekeeping import Housekeeping
from coterie.server.metrics import Metrics
from coterie.server.policy import Now
from coterie.server.rivals import Rivals


class Seconds:
    """Of a server that is alone with its data: what others do is found by looking."""

    def __init__(
        self,
        connections: Connections,
        rivals: Rivals,
        approvals: Approvals,
        housekeeping: Housekeeping,
        metrics: Metrics,
    ) -> None:
        self._connections = connections
        self._rivals = rivals
        self._approvals = approvals
        self._housekeeping = housekeeping
        self._metrics = metrics

    def have_work(self, now: Now) -> bool:
        """Whether anything may be due. What is not asked here (resets) comes with the housekeeping, once a
        minute at least."""
        return (
            self._connections.have_work(now.monotonic_seconds)
            or bool(self._rivals.asked)
            or self._approvals.is_active
            or self._metrics.is_looked_at
            or self._housekeeping.is_due(now)
        )
