"""What a restore of the server leads to here (docs/decisions/0039)."""

from __future__ import annotations

import msgspec

from coterie.base.ids import AccountId, ConversationId
from coterie.base.quiet import Quiet


class PastSigned(Quiet, frozen=True):
    """A manifest of an account that a newer one has replaced, since then; or at the number of its end the
    deletion, which stays (since_ms NEVER_MS). What others may have lost in a restore can be shown by it."""

    account: AccountId
    seq: int
    signed: bytes
    since_ms: int


class BeginLife(msgspec.Struct, frozen=True):
    """Change: the server's data has begun another life. The ledger kept here becomes the one before; numbers
    in streams mean nothing any more; what the server had accepted since sent_since_ms is to be sent again,
    except in the conversations named, which have ended."""

    sent_since_ms: int
    ended: tuple[ConversationId, ...]
