"""LoginStart -> Salt. A name that nobody has gets an answer like any other (encryption rule 5)."""

from __future__ import annotations

from coterie.base import limits
from coterie.base.ids import UserName
from coterie.server.commands.outcome import Outcome
from coterie.server.realm import Realm
from coterie.server.store.protocol import Reads
from coterie.wire.frames import LoginStart, Salt


async def handle(frame: LoginStart, reads: Reads, realm: Realm) -> Outcome:
    """Both answers cost the same: one read and one HMAC."""
    for_nobody = realm.salt_for_nobody(frame.name)
    salt_of_somebody = await reads.salt(UserName(frame.name))
    salt = Salt(
        frame.request,
        for_nobody if salt_of_somebody is None else salt_of_somebody,
        limits.ARGON2_MEMORY_KIB,
        limits.ARGON2_PASSES,
        limits.ARGON2_LANES,
    )
    return Outcome(frame.request, reply=(salt,))
