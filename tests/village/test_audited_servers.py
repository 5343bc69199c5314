"""What a server shows to a stranger, held against what somebody here has seen (encryption rule 20)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import pytest

import coterie
from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import RemoteError, SealBroken
from coterie.base.ids import AccountId
from coterie.base.signing import LedgerKeys
from coterie.client.api.me import Me
from coterie.client.store.records import Setting
from coterie.ledger.audit import LedgerFile, audit
from coterie.ledger.heads import Head, sign_head
from coterie.ledger.leaves import NO_LEAF, Leaf, LeafKind, LedgerView
from coterie.ledger.tree import Tree
from coterie.server.founding import _secrets_decoder
from coterie.server.store.database import Database
from coterie.wire.frames import Accepted, Leaves, ServerFrame
from tests.village.conftest import PASSWORD, PATIENCE_SECONDS, Heard, Village
from tests.village.liar import Liar, Said

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


@pytest.fixture
def liar(monkeypatch: pytest.MonkeyPatch) -> Liar:
    return Liar(monkeypatch)


def ledger_keys(village: Village) -> LedgerKeys:
    """The server's own, out of its database."""
    database = Database(village.folder / "server" / "server.db")
    try:
        (packed,) = database.one("SELECT value FROM facts WHERE name = 'secrets'") or (b"",)
    finally:
        database.close()
    return LedgerKeys.unpack(_secrets_decoder.decode(packed).ledger)


def another_ledger(me: Me, keys: LedgerKeys, extra: int) -> Callable[[ServerFrame], Iterable[Said]]:
    """Instead of the true leaves: the same with another last one, and some more, well signed."""
    true = list(me._store.leaves())
    somebody = [
        Leaf(LeafKind.MANIFEST, bytes((n,)) * 32, AccountId(bytes((n,)) * 32), 1, b"h" * 32, NO_LEAF).pack()
        for n in range(extra + 1)
    ]
    leaves = (*true[:-1], *somebody)
    view = LedgerView.from_leaves(leaves)
    head = Head(me._core.profile.ledger, view.size, view.root(), me._runtime._clock.wall_ms())
    signed = sign_head(head, keys).pack()

    def lie(frame: ServerFrame) -> Iterable[Said]:
        if isinstance(frame, Leaves):
            return (Leaves(frame.request, frame.start, leaves[frame.start :], signed),)
        return (frame,)

    return lie


async def test_an_honest_server_is_found_sound(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    shown = await coterie.fetch_ledger(village.invite)
    found = audit(LedgerFile.unpack(shown.pack()))
    assert (found.leaves, found.covered, found.names, found.fraud) == (3, 3, 2, None)
    assert found.server == alice._core.profile.server
    assert alice.hold_against(shown).fraud is None
    await village.person("carol")
    assert bob.hold_against(shown).fraud is None, "who has seen more since"
    place = village.invite.split("//")[1].split("/")[0]
    assert len((await coterie.fetch_ledger(place)).leaves) == 4


async def test_a_large_ledger_comes_page_by_page(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("alice", "bob", "carol"):
        await village.person(name)
    monkeypatch.setattr(limits, "LEAVES_PER_FRAME", 1)
    assert audit(await coterie.fetch_ledger(village.invite)).names == 3


@pytest.mark.parametrize("extra", [0, 3])
async def test_a_server_that_shows_strangers_something_else_is_convicted(
    village: Village, liar: Liar, extra: int
) -> None:
    """Attack: one ledger for alice, and another for everybody. She asks as a stranger."""
    alice = await village.person("alice")
    liar.lie = another_ledger(alice, ledger_keys(village), extra)
    shown = await coterie.fetch_ledger(village.invite)
    liar.lie = None
    assert audit(shown).fraud is None, "sound by itself"
    assert alice.hold_against(shown).fraud is not None
    await Heard(alice).until(lambda _: alice.link is coterie.LinkState.STOPPED)
    with pytest.raises(coterie.SecurityStop) as stop:
        await alice.wait_live(PATIENCE_SECONDS)
    assert stop.value.code is Code.LEDGER_SPLIT
    assert alice._store.setting(Setting.SPLIT_PROOF)
    await alice.close()
    async with coterie.open(village.home("alice"), password=PASSWORD) as again:
        with pytest.raises(coterie.SecurityStop):
            await again.wait_live(PATIENCE_SECONDS)
        assert audit(LedgerFile.unpack(again.ledger_file())).fraud is not None


async def test_a_fraud_in_what_is_shown_alone_is_kept_too(village: Village) -> None:
    """Attack: strangers are shown a name that somebody else took over, under a head that counts."""
    alice = await village.person("alice")
    shown = await coterie.fetch_ledger(village.invite)
    mine = Leaf.unpack(shown.leaves[-1])
    taken = msgspec.structs.replace(mine, account=AccountId(b"t" * 32), seq=2, previous=len(shown.leaves) - 1)
    leaves = (*shown.leaves, taken.pack())
    tree = Tree()
    for packed in leaves:
        tree.append(packed)
    head = sign_head(Head(alice._core.profile.ledger, tree.size, tree.root(), 1), ledger_keys(village)).pack()
    file = msgspec.structs.replace(shown, leaves=leaves, heads=(head,))
    assert alice.hold_against(file).fraud is not None
    await Heard(alice).until(lambda _: alice.link is coterie.LinkState.STOPPED)
    assert audit(LedgerFile.unpack(alice.ledger_file())).fraud is not None


async def test_another_ledger_altogether_is_no_proof_and_a_stop(village: Village, liar: Liar) -> None:
    alice = await village.person("alice")
    other = await village_beside(village)
    try:
        shown = await coterie.fetch_ledger(other.invite)
    finally:
        await other.close()
    with pytest.raises(coterie.SecurityStop) as stop:
        alice.hold_against(shown)
    assert stop.value.code is Code.LEDGER_SPLIT
    assert not alice._store.setting(Setting.SPLIT_PROOF)


async def village_beside(village: Village) -> Village:
    return await Village(village.folder / "beside").start()


@pytest.mark.parametrize("lie", ["nothing", "another start", "another answer", "a head without leaves"])
async def test_what_is_no_ledger_is_an_error(village: Village, liar: Liar, lie: str) -> None:
    def told(frame: ServerFrame) -> Iterable[Said]:
        if not isinstance(frame, Leaves):
            return (frame,)
        lies: dict[str, tuple[Said, ...]] = {
            "nothing": (Leaves(frame.request, frame.start, (), frame.head),),
            "another start": (Leaves(frame.request, 1, frame.leaves, frame.head),),
            "another answer": (Accepted(frame.request, 1),),
            "a head without leaves": (Leaves(frame.request, frame.start, frame.leaves, b"head"),),
        }
        return lies[lie]

    liar.lie = told
    with pytest.raises(RemoteError):
        await coterie.fetch_ledger(village.invite)


async def test_a_head_that_the_ledger_key_did_not_sign_proves_nothing(village: Village, liar: Liar) -> None:
    alice = await village.person("alice")
    liar.lie = another_ledger(alice, LedgerKeys.generate(), 0)
    shown = await coterie.fetch_ledger(village.invite)
    with pytest.raises(SealBroken):
        audit(shown)
