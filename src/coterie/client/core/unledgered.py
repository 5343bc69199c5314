"""Names for which the server has shown something that its ledger does not have (encryption rules 9 and 22).

Nothing of it is used. It is no proof of a fraud, for nobody has signed that answer: so nobody is accused, the
person is told, and what they write to such a name stops until the ledger and the server agree.
"""

from __future__ import annotations

from coterie.base.errors import NameNotInLedger, RemoteError, SealBroken
from coterie.base.ids import UserName
from coterie.client.core.people import People
from coterie.client.events import NotInLedger
from coterie.ledger.manifest import SignedManifest
from coterie.wire.frames.accounts import AccountRecord

NAMES_MOST = 1000


class Unledgered:
    """Known while the program runs."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._names: set[UserName] = set()

    def shown(self, record: AccountRecord) -> tuple[NotInLedger, ...]:
        """An account came that does not match the ledger: what to tell of the name that it claims."""
        name = _claimed(record)
        if name is None or name in self._names or len(self._names) >= NAMES_MOST:
            return ()
        self._names.add(name)
        return (NotInLedger(name),)

    def check(self, name: UserName) -> None:
        """Raises NameNotInLedger for a name that nothing proven stands for, only what was shown so."""
        if name in self._names and self._people.named(name) is None:
            raise NameNotInLedger(name)


def _claimed(record: AccountRecord) -> UserName | None:
    """The name in the newest list that came, whoever signed it; None where there is none."""
    if not record.manifests:
        return None
    try:
        return UserName(SignedManifest.unpack(record.manifests[-1]).manifest.name)
    except (SealBroken, RemoteError):
        return None
