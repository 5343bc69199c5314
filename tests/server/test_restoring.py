"""A server that begins anew from a copy, and who brings what back (docs/protocol.md 3.13)."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.signing import IdentityKeys, LedgerKeys
from coterie.ledger.heads import Head, SignedHead, sign_head
from coterie.ledger.leaves import Leaf, LeafKind, LedgerView, name_hash
from coterie.ledger.manifest import SignedManifest
from coterie.ledger.restores import unpack_restores
from coterie.server.copies import make_copy, put_back
from coterie.server.restoring import mark_restored
from coterie.server.store.sqlite import SqliteStore
from coterie.wire.frames import Accepted, OfferManifests, OfferVault, PublishManifest, Ready, ShowHead
from coterie.wire.frames.offers import OfferedManifests
from tests.ledger.accounts import NOW_MS, after
from tests.server.house import House, Wire, house_in
from tests.server.people import Person
from tests.server.scenes import code, registered

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


@asynccontextmanager
async def restored(folder: Path) -> AsyncIterator[House]:
    """The server of this folder, from a copy of its data as they are."""
    store = SqliteStore(folder / "server.db")
    await mark_restored(store)
    await store.close()
    async with house_in(folder) as house:
        yield house


async def proof_of(house: House, person: Person) -> tuple[OfferedManifests, bytes]:
    """Where somebody stands in a ledger, and the head over it."""
    size = house.realm.ledger.size
    leaves = await house.store.leaves(0, size)
    view = LedgerView.from_leaves(leaves)
    found = view.newest_of_account(person.account)
    assert found is not None
    index, leaf = found
    path = view.tree.inclusion(index, size)
    return OfferedManifests((person.signed.pack(),), b"", leaf.pack(), index, path), house.realm.ledger.head


async def welcomed(house: House) -> Wire:
    wire = house.wire()
    await wire.greet()
    return wire


def bare(signed: SignedManifest, *before: SignedManifest) -> OfferedManifests:
    """Without a proof."""
    return OfferedManifests((*(each.pack() for each in before), signed.pack()), b"", b"", 0, ())


async def newest(house: House, person: Person) -> Leaf | None:
    leaves = await house.store.leaves(0, 100)
    found = LedgerView.from_leaves(leaves, follows=True).newest_of_account(person.account)
    return found[1] if found else None


async def test_the_new_ledger_begins_with_what_the_server_signed(folder: Path, alice: Person) -> None:
    async with house_in(folder) as house:
        await registered(house, alice)
        before = house.realm
    async with restored(folder) as house:
        (said,) = unpack_restores(house.realm.restores)
        old = Head.unpack(SignedHead.unpack(before.ledger.head).payload)
        assert (said.old_ledger, said.old_size, said.old_root) == (old.ledger, old.size, old.root)
        assert house.realm.incarnation == said.incarnation != before.incarnation
        assert house.realm.everyone == before.everyone
        kinds = [Leaf.unpack(each).kind for each in await house.store.leaves(0, 100)]
        assert kinds == [LeafKind.SERVER] * 3, "the first statement, the restore, the new statement"
    async with house_in(folder) as house:
        assert len(house.realm.restores) == 1, "and once only"


async def test_an_account_of_the_copy_comes_back_by_its_manifest(folder: Path, alice: Person) -> None:
    async with house_in(folder) as house:
        await registered(house, alice)
    async with restored(folder) as house:
        wire = house.wire()
        await wire.sign_in(alice.device)
        answer = await wire.ask(OfferManifests(5, (bare(alice.signed),), b""))
        assert isinstance(answer, Accepted)
        assert answer.seq == 4
        leaf = await newest(house, alice)
        assert leaf is not None
        assert (leaf.seq, leaf.hash, leaf.previous) == (1, alice.signed.hash, -1)
        again = await wire.ask(OfferManifests(6, (bare(alice.signed),), b""))
        assert isinstance(again, Accepted)
        assert (again.seq, house.realm.ledger.size) == (4, 4)


async def test_an_account_that_the_copy_lacks_proves_that_it_was_there(
    folder: Path, alice: Person, bob: Person, tmp_path: Path
) -> None:
    async with house_in(folder) as house:
        await registered(house, alice)
    copy = shutil.copytree(folder, tmp_path / "copy")
    async with house_in(folder) as house:
        await registered(house, bob)
        offered, head = await proof_of(house, bob)
    async with restored(Path(copy)) as house:
        wire = await welcomed(house)
        assert code(await wire.ask(bob.device.prove(wire.challenge, house.realm.tls_key))) is (
            Code.UNKNOWN_DEVICE
        )
        assert isinstance(await wire.ask(OfferManifests(2, (offered,), head)), Accepted)
        ready = await wire.ask(bob.device.prove(wire.challenge, house.realm.tls_key, request=3))
        assert isinstance(ready, Ready)
        vault = OfferVault(4, bob.vault, bob.auth_key, bob.recovery_auth_key)
        assert isinstance(await wire.ask(vault), Accepted)
        row = await house.store.account(bob.account)
        assert row is not None
        assert (row.vault, len(row.verifiers)) == (bob.vault, 2)


async def test_nobody_comes_in_who_was_not_there(
    folder: Path, alice: Person, bob: Person, identities: tuple[IdentityKeys, ...]
) -> None:
    """Attack: somebody without an invite makes up an account, and says that the copy lacks it."""
    async with house_in(folder) as house:
        await registered(house, alice)
        true, head = await proof_of(house, alice)
    async with restored(folder) as house:
        leaf = Leaf(
            LeafKind.MANIFEST, name_hash(bob.signed.manifest.name), bob.account, 1, bob.signed.hash, -1
        )
        own = LedgerView()
        own.append(leaf.pack())
        old = Head.unpack(SignedHead.unpack(head).payload)
        forged = sign_head(Head(old.ledger, 1, own.root(), NOW_MS), LedgerKeys.generate()).pack()
        for offered, under in (
            (bare(bob.signed), head),
            (bare(bob.signed), b""),
            (msgspec.structs.replace(true, manifests=(bob.signed.pack(),)), head),
            (OfferedManifests((bob.signed.pack(),), b"", leaf.pack(), true.index, true.path), head),
            (OfferedManifests((bob.signed.pack(),), b"", leaf.pack(), 0, ()), forged),
            (OfferedManifests((bob.signed.pack(),), b"", leaf.pack(), 0, ()), house.realm.ledger.head),
        ):
            wire = await welcomed(house)
            assert code(await wire.ask(OfferManifests(2, (offered,), under))) is not None
            wire.hang_up()
        assert await house.store.account(bob.account) is None


async def test_a_false_manifest_is_not_taken(folder: Path, alice: Person, bob: Person) -> None:
    """Attack: a member offers a list of somebody's devices that its owner has not signed, or that does not
    follow."""
    async with house_in(folder) as house:
        await registered(house, alice, bob)
    async with restored(folder) as house:
        wire = house.wire()
        await wire.sign_in(bob.device)
        good = alice.sign(after(alice.signed))
        false = msgspec.structs.replace(good, identity_signature=bob.signed.identity_signature)
        fork = alice.sign(msgspec.structs.replace(after(alice.signed), previous=b"x" * 32))
        for offered in (false, fork):
            assert code(await wire.ask(OfferManifests(2, (bare(offered),), b""))) is not None
        assert await newest(house, alice) is None
        assert isinstance(await wire.ask(OfferManifests(3, (bare(good),), b"")), Accepted)
        leaf = await newest(house, alice)
        assert leaf is not None
        assert leaf.hash == good.hash


async def test_who_offers_an_older_manifest_takes_nothing_back(
    folder: Path, alice: Person, bob: Person
) -> None:
    """Attack: somebody offers the list that still has the device which its owner has revoked since."""
    async with house_in(folder) as house:
        await registered(house, alice, bob)
        wire = house.wire()
        await wire.sign_in(alice.device)
        first, second = alice.signed, alice.sign(after(alice.signed))
        assert isinstance(await wire.ask(PublishManifest(5, second.pack())), Accepted)
    async with restored(folder) as house:
        wire = house.wire()
        await wire.sign_in(bob.device)
        assert isinstance(await wire.ask(OfferManifests(2, (bare(first),), b"")), Accepted)
        leaf = await newest(house, alice)
        assert leaf is not None
        assert (leaf.seq, leaf.hash) == (2, second.hash)


async def test_each_newer_manifest_follows_in_the_ledger(folder: Path, alice: Person, bob: Person) -> None:
    """Who has been away brings what they know; who knows more brings that behind it."""
    async with house_in(folder) as house:
        await registered(house, alice, bob)
    one, two = alice.signed, alice.sign(after(alice.signed))
    three = alice.sign(after(two))
    async with restored(folder) as house:
        wire = house.wire()
        await wire.sign_in(bob.device)
        assert isinstance(await wire.ask(OfferManifests(2, (bare(one),), b"")), Accepted)
        assert code(await wire.ask(OfferManifests(3, (bare(three),), b""))) is Code.STALE_MANIFEST
        assert isinstance(await wire.ask(OfferManifests(4, (bare(three, two),), b"")), Accepted)
        leaf = await newest(house, alice)
        assert leaf is not None
        assert leaf.seq == 3


async def test_a_server_that_was_never_restored_takes_no_offers(house: House, alice: Person) -> None:
    await registered(house, alice)
    wire = house.wire()
    await wire.sign_in(alice.device)
    answer = await wire.ask(OfferManifests(2, (bare(alice.signed),), b""))
    assert code(answer) is Code.STALE_MANIFEST
    assert code(await wire.ask(OfferVault(3, alice.vault, b"", b""))) is Code.STALE_MANIFEST


async def test_no_head_that_others_made_moves_a_healthy_server(house: House, alice: Person) -> None:
    """Attack: a client says that it was shown more, so that the server begins anew and forgets."""
    await registered(house, alice)
    own = Head.unpack(SignedHead.unpack(house.realm.ledger.head).payload)
    ahead = Head(own.ledger, own.size + 5, b"r" * 32, own.time_ms + 5)
    for head in (
        sign_head(ahead, LedgerKeys.generate()).pack(),
        msgspec.structs.replace(SignedHead.unpack(house.realm.ledger.head), payload=ahead.pack()).pack(),
        house.realm.ledger.head,
        b"garbage",
    ):
        wire = await welcomed(house)
        assert isinstance(await wire.ask(ShowHead(2, head)), Accepted)
        wire.hang_up()
    assert not house.turns.begins_anew
    assert not await house.store.fact("restored")


async def test_a_head_of_its_own_that_it_does_not_know_does(house: House, alice: Person) -> None:
    await registered(house, alice)
    own = Head.unpack(SignedHead.unpack(house.realm.ledger.head).payload)
    keys = LedgerKeys.unpack(house.realm.secrets.ledger)
    ahead = sign_head(Head(own.ledger, own.size + 1, b"r" * 32, own.time_ms), keys).pack()
    wire = await welcomed(house)
    wire.say(ShowHead(2, ahead))
    await wire.closed.wait()
    assert house.turns.begins_anew
    assert await house.store.fact("restored") == b"1"


async def test_a_copy_is_whole_and_private(folder: Path, alice: Person, tmp_path: Path) -> None:
    """Also of a server that runs."""
    async with house_in(folder) as house:
        await registered(house, alice)
        made = make_copy(folder, tmp_path, NOW_MS)
        assert (made.people, made.made_ms) == (1, NOW_MS)
        assert made.file.stat().st_mode & 0o777 == 0o600
        with pytest.raises(Refused):
            make_copy(folder, made.file, NOW_MS)
    with pytest.raises(Unavailable):
        make_copy(tmp_path / "nowhere", tmp_path / "other", NOW_MS)
    back = await put_back(tmp_path, folder, NOW_MS)
    assert back == made
    assert list(folder.glob("before-*-server.db"))
    async with house_in(folder) as house:
        assert len(house.realm.restores) == 1
        assert await house.store.account(alice.account) is not None
        second = make_copy(folder, tmp_path / "second", NOW_MS)
    with pytest.raises(Refused) as soon:
        await put_back(second.file, folder, NOW_MS + 1)
    assert soon.value.code is Code.TOO_MANY_TRIES
    assert soon.value.retry_after_seconds > 0


async def test_what_is_no_copy_is_not_put_back(folder: Path, tmp_path: Path) -> None:
    async with house_in(folder):
        pass
    before = (folder / "server.db").read_bytes()
    junk = tmp_path / "junk"
    for content in (b"", b"nothing", before):
        junk.write_bytes(content)
        with pytest.raises((Refused, Unavailable)):
            await put_back(junk, folder, NOW_MS)
    assert (folder / "server.db").read_bytes() == before
