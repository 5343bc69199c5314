"""Each round trip between two devices makes new post-quantum keys, over a real server (rule 12)."""

from __future__ import annotations

import msgspec
import pytest

import coterie
from coterie.client.api.me import Me
from coterie.client.core.fresh_keys import FIRST_ID
from coterie.client.store.records import DropGroupOut, EnvelopeOut, Record, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.pairwise import peek_prekey_id
from coterie.wire.frames.messages import EnvelopeItem
from tests.village.conftest import PASSWORD, Heard, Village, acquainted

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


@pytest.fixture
def sealed_to(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The prekey ids of all envelopes that anybody commits, in order."""
    ids: list[int] = []
    apply = ClientStore.apply
    items = msgspec.msgpack.Decoder(EnvelopeItem)

    def noting(self: ClientStore, save: tuple[Record, ...]) -> None:
        apply(self, save)
        envelopes = [each for each in save if isinstance(each, EnvelopeOut)]
        ids.extend(peek_prekey_id(items.decode(each.item).sealed) for each in envelopes)

    monkeypatch.setattr(ClientStore, "apply", noting)
    return ids


async def reopened(village: Village, me: Me) -> Me:
    """Closed and started again, with every sending session ended: the next message takes an envelope."""
    await me.close()
    again = await coterie.open(village.home(me.name), password=PASSWORD)
    again._store.begin()
    again._store.apply((DropGroupOut(b""),))
    again._store.commit()
    return await village.keep(again)


@pytest.mark.parametrize("everyone", [False, True])
async def test_round_trips_through_restarts(village: Village, sealed_to: list[int], everyone: bool) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    for n in range(4):
        for one, other in ((alice, bob), (bob, alice)):
            ears = Heard(other)
            await one.send(coterie.EVERYONE if everyone else f"@{other.name}", f"{one.name} {n}")
            assert await ears.texts(1) == [f"{one.name} {n}"]
        alice, bob = await reopened(village, alice), await reopened(village, bob)
    assert len(sealed_to) == 8
    assert sealed_to[0] < FIRST_ID
    assert sealed_to[1:] == [FIRST_ID + n // 2 for n in range(7)]
    for me in (alice, bob):
        assert me._store.setting(Setting.BROKEN_COUNT) is None
