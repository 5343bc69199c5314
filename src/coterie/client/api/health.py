"""How a profile is: what `coterie doctor` prints, and bots may ask."""

from __future__ import annotations

import msgspec

from coterie.base.ids import DeviceId, UserName
from coterie.client.events import LinkState
from coterie.client.health_teller import undecryptable_ever
from coterie.client.shapes import Unreadable
from coterie.client.store.records import Setting
from coterie.client.store.sqlite import ClientStore


class Health(msgspec.Struct, frozen=True):
    """undecryptable_now: messages that are known of and cannot be read here; they are asked for again.
    undecryptable_ever: for how many others had to be asked. unopened: envelopes and entries that wait to be
    opened, by reason. queued: own messages that the server has not accepted. told: whether the server is
    told of the first two."""

    name: UserName
    device: DeviceId
    link: LinkState
    store_sound: bool
    undecryptable_now: int
    undecryptable_ever: int
    unopened: dict[str, int]
    queued: int
    told: bool

    @property
    def is_well(self) -> bool:
        """Whether nothing is lost, and the store is whole."""
        return self.store_sound and not self.undecryptable_now


def unreadable(store: ClientStore) -> Unreadable:
    """What the server is told of, where it is."""
    told = store.setting(Setting.HEALTH_TOLD) is not None
    return Unreadable(store.undecryptable_now(), undecryptable_ever(store), told)


def look(store: ClientStore, name: UserName, device: DeviceId, link: LinkState) -> Health:
    """Raises Unavailable(disk) where not even that can be asked."""
    counted = unreadable(store)
    return Health(
        name=name,
        device=device,
        link=link,
        store_sound=store.is_sound(),
        undecryptable_now=counted.now,
        undecryptable_ever=counted.ever,
        unopened={reason.value: count for reason, count in store.waiting_by_reason().items()},
        queued=store.queued(),
        told=counted.told,
    )
