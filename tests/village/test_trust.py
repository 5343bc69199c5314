"""What people find out about their server and their account, with real programs on both sides."""

from __future__ import annotations

import asyncio

import pytest

import coterie
from coterie.base.codes import Code
from coterie.base.ids import DeviceId, SessionId
from coterie.base.signing import LedgerKeys
from coterie.client.api.me import Me
from coterie.client.core.sealing import Sealing
from coterie.client.store.records import MessageRow, Setting, ShareState
from coterie.ledger.heads import Head, sign_head
from coterie.server.store.caches import KnownDevice
from coterie.server.store.envelopes import EnvelopeWrites
from coterie.server.store.records import PostEnvelopes
from coterie.server.store.results import Denied
from tests.village.conftest import PASSWORD, PATIENCE_SECONDS, Heard, Village, acquainted

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


def row_of(me: Me, text: str) -> MessageRow:
    (message,) = me.search(text)
    row = me._store.message(message.order)
    assert row is not None
    return row


async def test_a_split_view_stops_this_program_and_every_later_start(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack: the head in alice's message, signed by the ledger's key as bob has it, is not of bob's ledger.
    He stops with the proof in his store, and a restart does not make him forget."""
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    keys = LedgerKeys.generate()
    head = sign_head(Head(bob._core.profile.ledger, 2, b"x" * 32, 1), keys).brief.pack()
    monkeypatch.setattr(bob._core.trust.witness, "_key", keys.public)
    monkeypatch.setattr(Sealing, "_brief_head", lambda _: head)
    ears = Heard(bob)
    await alice.post("@bob", "you will not see this")
    await ears.until(lambda _: bob.link is coterie.LinkState.STOPPED)
    stopped = [each for each in ears.events if isinstance(each, coterie.LinkChanged)][-1]
    assert stopped.code is Code.LEDGER_SPLIT
    assert ears.messages() == []
    assert bob._store.setting(Setting.SPLIT_PROOF)
    with pytest.raises(coterie.SecurityStop):
        await bob.send("@alice", "nor this", timeout_seconds=PATIENCE_SECONDS)
    await bob.close()
    async with coterie.open(village.home("bob"), password=PASSWORD) as again:
        with pytest.raises(coterie.SecurityStop) as stop:
            await again.wait_live(PATIENCE_SECONDS)
        assert stop.value.code is Code.LEDGER_SPLIT


async def test_a_new_device_asks_the_others_was_this_you(village: Village) -> None:
    bob = await village.person("bob", passphrase=True)
    assert bob.passphrase is not None
    ears = Heard(bob)
    laptop = await village.keep(
        await coterie.log_in(
            server=village.invite,
            name="bob",
            password=bob.passphrase,
            home=village.home("laptop"),
            device_name="laptop",
        )
    )
    await ears.until(lambda events: any(isinstance(e, coterie.OwnDeviceQuestion) for e in events))
    (asked,) = bob.questions()
    assert (asked.id, asked.name, asked.approved_by_recovery) == (laptop.device, "laptop", True)
    assert laptop.questions() == ()
    await bob.close()
    again = await village.keep(await coterie.open(village.home("bob"), password=bob.passphrase))
    assert again.questions() == (asked,)
    with pytest.raises(coterie.Refused) as refused:
        await again.confirm_device(DeviceId(bytes(16)))
    assert refused.value.code is Code.UNKNOWN_DEVICE
    await again.confirm_device(asked.id)
    assert again.questions() == ()


async def test_own_and_received_messages_keep_the_servers_mac(village: Village) -> None:
    """Rule 23: what a report needs stays with the message: franking key, commitment, and the server's MAC, as
    it stood in the log, for one's own messages too."""
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    ears = Heard(bob)
    await alice.send("@bob", "reportable")
    await ears.texts(1)
    await Heard(alice).until(lambda _: bool(row_of(alice, "reportable").mac))
    sent, received = row_of(alice, "reportable"), row_of(bob, "reportable")
    assert len(sent.mac) == 32
    assert (sent.mac, sent.commitment, sent.franking_key) == (
        received.mac,
        received.commitment,
        received.franking_key,
    )


async def test_a_device_left_out_for_a_full_mailbox_reads_it_later(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 24: carol reads at once; bob's device is left out, is owed the key, and reads the very same entry
    when there is room again; nothing comes twice."""
    alice, bob, carol = [await village.person(name) for name in ("alice", "bob", "carol")]
    await acquainted(alice, bob, carol)
    full = {bob.device}
    places = EnvelopeWrites._places

    async def refusing(self: EnvelopeWrites, record: PostEnvelopes, sender: KnownDevice, known):  # type: ignore[no-untyped-def] # as the method that it wraps
        lacking = tuple((item.account, item.device) for item in record.items if item.device in full)
        if lacking:
            return Denied(Code.MAILBOX_FULL, devices=lacking)
        return await places(self, record, sender, known)

    monkeypatch.setattr(EnvelopeWrites, "_places", refusing)
    at_bob, at_carol = Heard(bob), Heard(carol)
    await alice.send(coterie.EVERYONE, "first")
    await alice.send(coterie.EVERYONE, "second")
    assert await at_carol.texts(2) == ["first", "second"]
    assert at_bob.messages() == []
    assert [each.name for each in row_view(alice, "second").not_for] == ["bob"]
    full.clear()
    await bob.close()
    async with coterie.open(village.home("bob"), password=PASSWORD) as again:
        ears = Heard(again)
        await ears.until(lambda _: len(again.history(again.everyone)) == 2)
        assert [message.text for message in again.history(again.everyone)] == ["first", "second"]
        await alice.send(coterie.EVERYONE, "third")
        await ears.until(lambda _: len(again.history(again.everyone)) == 3)
        assert again._store.setting(Setting.BROKEN_COUNT) is None
        session = SessionId(row_of(alice, "second").session)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (share := alice._store.share_of(session, bob.device)) is None or (
                share.state is not ShareState.SHARED
            ):
                await asyncio.sleep(0)


def row_view(me: Me, text: str) -> coterie.Message:
    (message,) = me.search(text)
    return message
