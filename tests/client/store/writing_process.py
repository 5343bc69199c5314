"""A process of its own that commits batch after batch, and says the number of each that is on the disk."""

from __future__ import annotations

import sys
from pathlib import Path

from coterie.base.ids import mailbox_of
from coterie.client.store.profiles import ProfilePlace
from coterie.client.store.records import PositionRow
from coterie.client.store.sqlite import ClientStore
from tests.client.store.places import DATABASE_KEY, commit
from tests.client.store.samples import DEVICES, message

BATCH = 3


def write_for_ever(folder: Path) -> None:
    store = ClientStore.open(ProfilePlace(folder, "alice"), DATABASE_KEY)
    batch = 0
    while True:
        batch += 1
        rows = [message(BATCH * batch - place, f"batch number{batch}") for place in range(BATCH)]
        commit(store, *rows, PositionRow(mailbox_of(DEVICES[0]), b"incarnation", batch))
        print(batch, flush=True)


if __name__ == "__main__":
    write_for_ever(Path(sys.argv[1]))
