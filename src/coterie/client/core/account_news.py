"""What a newer manifest of somebody means for the person here."""

from __future__ import annotations

from coterie.client.core.people import People
from coterie.client.events import AccountDeleted, DevicesChanged, Event, PersonAppeared
from coterie.client.store.records import AccountRow
from coterie.ledger.manifest import SignedManifest


def news_of(people: People, known: AccountRow | None, row: AccountRow) -> tuple[Event, ...]:
    """What a newer row changes. Another vault, or a no to a reset, changes nobody else's devices."""
    person = people.person(row.account)
    if known is None:
        return () if row.from_ms else (PersonAppeared(person),)
    if known.seq == row.seq:
        return ()
    if row.deleted_ms:
        return () if row.from_ms else (AccountDeleted(person),)
    if row.devices == known.devices and row.account != people.me:
        return ()
    old = {each.device for each in known.devices}
    by_recovery = any(each.marked and each.device not in old for each in row.devices)
    published_ms = SignedManifest.unpack(row.manifest).manifest.time_ms
    return (DevicesChanged(person, by_recovery, published_ms),)
