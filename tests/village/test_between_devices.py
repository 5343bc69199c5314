"""A server that lies to two devices of which one wants to join the other's account (encryption rule 8): over
real sockets, without the code, with other keys than it committed to, and with what it has heard before. Who
merely stands between is in test_approval_between.py."""

from __future__ import annotations

import asyncio

import pytest

import coterie
from coterie.base.codes import Code
from coterie.base.ids import AccountId, DeviceId
from coterie.client.api.me import Me
from coterie.e2ee.approval import Form
from coterie.e2ee.approval_code import ApprovalCode
from coterie.e2ee.identity import AccountSecret
from coterie.e2ee.pairwise import Party
from tests.village.between import Between, Mallory
from tests.village.conftest import PASSWORD, PATIENCE_SECONDS, Village
from tests.village.test_approval import asking, by_emoji

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]

STRANGER = Party(AccountId(b"m" * 32), DeviceId(b"M" * 16), b"m" * 32)


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Between:
    return Between(monkeypatch)


def unchanged(village: Village, alice: Me) -> None:
    """Nobody has joined, and nothing of a request is left."""
    assert [device.id for device in alice.devices()] == [alice.device]
    assert coterie.profiles(village.home("second")) == ()


def as_herself(alice: Me) -> Party:
    return Party(alice.account, alice.device, alice._core.keyring.device.ed25519)


async def test_what_the_emoji_are_for(village: Village, between: Between) -> None:
    """The same server gets all of it from somebody who does not look: nothing but the emoji tells."""
    alice = await village.person("alice")
    mallory = Mallory(village, between)
    mallory.stand_between(as_herself(alice))
    async with alice.joiners() as joiners, await asking(village):
        joiner = await joiners.next(PATIENCE_SECONDS)
        await joiner.compare()
        granted: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        between.said_by_old = granted.set_result
        approved = asyncio.create_task(joiner.approve(password=PASSWORD))  # noqa: TID251 - awaited below
        mallory.joining.compared()
        assert mallory.joining.granted(await granted).manifest == alice.own_manifest().pack()
        await joiner.decline()
        joiner.end(coterie.Refused(Code.NOT_APPROVED))
        with pytest.raises(coterie.Refused):
            await approved


async def test_who_says_that_the_code_was_given_grants_nothing(village: Village, between: Between) -> None:
    """Attack: the server answers the new device itself, as a device of an account of its own, so that nothing
    is compared. What it grants has to prove the code, which it does not have."""
    alice = await village.person("alice")
    mallory = Mallory(village, between)
    between.asked = lambda frame: mallory.answer(frame, STRANGER, Form.CODE)
    async with await asking(village) as new:
        assert await new.answered() == ()
        approving = mallory.approving
        assert approving is not None
        revealed = between.said_by_new
        assert revealed is not None

        def grants(reveal: bytes) -> None:
            revealed(reveal)
            approving._code = ApprovalCode.from_text(mallory.joining.code)
            between.tell_new(approving.grant(AccountSecret.generate(), alice.own_manifest().pack(), b""))

        between.said_by_new = grants
        with pytest.raises(coterie.SealBroken) as refused:
            await new.join()
        assert not isinstance(refused.value, coterie.SecurityStop), "refused before it is opened"
    unchanged(village, alice)


async def test_a_key_that_was_not_committed_to_ends_it(village: Village, between: Between) -> None:
    """Attack: the server waits for alice's key, and then looks for one of its own that shows the emoji that
    it likes."""
    alice = await village.person("alice")
    mallory, better = Mallory(village, between), Mallory(village, between)
    between.asked = lambda _: between.show_old(mallory.joining.request, mallory.joining.rendezvous)
    between.said_by_old = lambda said: between.tell_old(better.joining.answered(said))
    async with alice.joiners() as joiners, await asking(village):
        joiner = await joiners.next(PATIENCE_SECONDS)
        with pytest.raises(coterie.SealBroken):
            await joiner.compare()
    unchanged(village, alice)


async def test_a_second_answer_is_none(village: Village, between: Between) -> None:
    """Attack: the server has the new device reveal its key, and then answers with one that fits."""
    alice = await village.person("alice")
    mallory = Mallory(village, between)
    between.asked = lambda frame: mallory.answer(frame, STRANGER, Form.EMOJI)
    async with await asking(village) as new:
        await new.answered()
        mallory.answer(between.requests[-1], STRANGER, Form.EMOJI)
        with pytest.raises(coterie.SealBroken):
            await new.join()
    unchanged(village, alice)


async def test_an_earlier_exchange_is_of_no_use(village: Village, between: Between) -> None:
    """Attack: the server says again what was said earlier, to a person who says yes without looking: the
    request, the key and the confirmation to alice, the answer and the grant to a new device. Both draw a key
    for each exchange: what alice grants confirms nobody, and what was granted opens nowhere."""
    alice = await village.person("alice")
    await by_emoji(village, alice)
    (_, kept), (answer, grant) = between.from_new, between.from_old
    async with alice.joiners() as joiners, await asking(village, home="third") as new:
        joiner = await joiners.next(PATIENCE_SECONDS)
        seen, _ = await asyncio.gather(joiner.compare(), new.answered())
        request, reveal = between.requests[-1], between.from_new[-1]
    said = iter((reveal, kept))
    between.watched = lambda _: between.show_old(request.message, request.rendezvous)
    between.said_by_old = lambda _: between.tell_old(next(said))
    async with alice.joiners() as joiners:
        joiner = await joiners.next(PATIENCE_SECONDS)
        assert await joiner.compare() != seen
        with pytest.raises(coterie.SealBroken):
            await joiner.approve(password=PASSWORD)
    assert len(alice.devices()) == 2
    between.asked = lambda _: between.tell_new(answer)
    between.said_by_new = lambda _: between.tell_new(grant)
    async with await asking(village, home="fourth") as new:
        await new.answered()
        with pytest.raises(coterie.SealBroken):
            await new.join()
    assert [coterie.profiles(village.home(home)) for home in ("third", "fourth")] == [(), ()]
