"""Which of the sessions with one device are kept, and in which order they stand (encryption rule 11)."""

from __future__ import annotations

from coterie.base import limits
from coterie.client.core.keyring import Keyring
from coterie.client.store.records import DropOlm, OlmRow


def received_ms(rows: list[OlmRow], now_ms: int) -> int:
    """The time to note for a session that receives or begins now: above all others, also after the clock was
    put back. rows: the sessions of its device, the one that last received first."""
    return max(now_ms, rows[0].received_ms + 1) if rows else now_ms


def to_seal_on(rows: list[OlmRow], now_ms: int) -> OlmRow | None:
    """The session to seal on; None where another has to begin: there is none, or it was not answered for so
    long that the other device, if it never heard of it, could not open it any more. rows: as above.

    One of an earlier life of the server is none: this home may be a copy, and the original has sealed on."""
    row = next((each for each in rows if not each.former), None)
    if row is not None and row.unanswered_ms and now_ms - row.unanswered_ms > limits.OLM_UNANSWERED_MS:
        return None
    return row


def too_many(others: list[OlmRow], keyring: Keyring) -> tuple[DropOlm, ...]:
    """A session begins beside these: those that received longest ago go, their ids stay known."""
    gone = others[limits.OLM_SESSIONS_PER_DEVICE - 1 :]
    for row in gone:
        keyring.drop_olm(row.session)
    return tuple(DropOlm(row.session) for row in gone)
