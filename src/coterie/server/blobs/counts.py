"""What is counted of sealed files: how many and how much, never whose and never which."""

from __future__ import annotations

from collections.abc import Iterable

from coterie.base.codes import Code
from coterie.server.exposition import Figure, Kind
from coterie.server.metrics import counter

_USUAL = (Code.BAD_FILE, Code.BUSY, Code.FILES_FULL, Code.LOW_DISK, Code.UNKNOWN_FILE)
"""Why files are refused; others are told once they happened."""


class FileCounts:
    """Since the start of the process."""

    def __init__(self) -> None:
        self.uploads = 0
        self.received_bytes = 0
        self.reads = 0
        self.sent_bytes = 0
        self._refusals = {code.value: 0 for code in _USUAL}

    def refused(self, code: Code) -> None:
        self._refusals[code.value] = self._refusals.get(code.value, 0) + 1

    def figures(self) -> Iterable[Figure]:
        yield counter("file_uploads", "Sealed files that came, whole and on disk.", self.uploads)
        yield counter("file_received_bytes", "Bytes of sealed files that came.", self.received_bytes)
        yield counter("file_reads", "Parts of sealed files that were asked for, and went.", self.reads)
        yield counter("file_sent_bytes", "Bytes of sealed files that went.", self.sent_bytes)
        refusals = dict(self._refusals)
        yield Figure(
            "coterie_file_refusals_total",
            Kind.COUNTER,
            "What was refused of sealed files, by code.",
            refusals,
            "code",
        )
