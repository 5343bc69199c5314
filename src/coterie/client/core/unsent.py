"""What a device had not sent, where a store becomes another device's."""

from __future__ import annotations

from coterie.client.core.ports import Reads
from coterie.client.store.records import OutboxState


def unaccepted(reads: Reads, below_order: int) -> tuple[int, ...]:
    """Orders of the messages below one that the server has not accepted, as far as is known here."""
    return tuple(
        row.order
        for conversation in reads.outbox_conversations()
        for state in (OutboxState.WAITING, OutboxState.SEALED)
        for row in reads.outbox(conversation, state, below_order)
        if row.order < below_order
    )
