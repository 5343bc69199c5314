"""Hello -> Welcome: who this server is, proven before the client says anything else (encryption rule 7)."""

from __future__ import annotations

from coterie.base import limits
from coterie.server.caller import Caller
from coterie.server.commands.outcome import Outcome
from coterie.server.realm import Realm
from coterie.wire.codec import VERSIONS
from coterie.wire.frames import Hello, Welcome
from coterie.wire.frames.connection import ServerLimits


def handle(frame: Hello, who: Caller, realm: Realm) -> Outcome:
    """The session has made sure that there is a common version."""
    welcome = Welcome(
        version=next(version for version in VERSIONS if version in frame.versions),
        incarnation=realm.incarnation,
        identity=realm.identity,
        chain=realm.chain,
        statement=realm.statement,
        challenge=who.challenge,
        restores=realm.restores,
        limits=ServerLimits(limits.FRAME_BYTES, limits.TEXT_BYTES, limits.ENVELOPE_BYTES),
    )
    return Outcome(0, reply=(welcome,))
