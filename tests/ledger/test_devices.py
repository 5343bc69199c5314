"""What may become of an account's devices, and who may say so."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import SealBroken
from coterie.ledger.checks import check_newest, check_successor
from coterie.ledger.devices import check_grown
from coterie.ledger.leaves import NO_LEAF, Leaf, LeafKind, name_hash
from coterie.ledger.manifest import FIRST, RECOVERY, DeviceEntry, SignedManifest
from tests.ledger.accounts import NOW_MS, Machine, Owner

Change = Callable[[DeviceEntry], DeviceEntry]


def changed(**fields: object) -> Change:
    return lambda entry: msgspec.structs.replace(entry, **fields)


def refuses(old: SignedManifest, new: SignedManifest, code: Code = Code.BAD_MANIFEST) -> None:
    with pytest.raises(SealBroken) as caught:
        check_successor(old, new)
    assert caught.value.code is code


def grown(owner: Owner, *machines: Machine) -> SignedManifest:
    """An account whose first device approved these."""
    signed = owner.begin()
    for machine in machines:
        following = owner.with_added(signed, machine)
        check_successor(signed, following)
        signed = following
    return signed


def test_a_device_may_be_renamed_and_revoked_by_any_live_one(alice: Owner) -> None:
    second = Machine()
    before = grown(alice, second)
    first, other = before.manifest.devices
    check_successor(before, alice.with_devices(before, first, changed(name="attic")(other)))
    check_successor(before, alice.with_devices(before, first.revoked(NOW_MS), other, by=second))
    check_successor(before, alice.with_devices(before, first, other.revoked(NOW_MS), by=second))


def test_a_device_name_is_measured_in_bytes(alice: Owner) -> None:
    before = alice.begin()
    longest = "ö" * (limits.DEVICE_NAME_BYTES // 2)
    check_successor(before, alice.with_devices(before, alice.first.entry(name=longest)))
    refuses(before, alice.with_devices(before, alice.first.entry(name=longest + "o")))


def test_no_device_vanishes_or_moves(alice: Owner) -> None:
    before = grown(alice, Machine())
    first, other = before.manifest.devices
    refuses(before, alice.with_devices(before, first))
    refuses(before, alice.with_devices(before, other, first))
    refuses(before, alice.with_devices(before, first, Machine().entry(alice.first.id)))
    refuses(before, alice.with_devices(before, first, changed(id=Machine().id)(other)))


@pytest.mark.parametrize(
    "change",
    [
        changed(ed25519=Machine().ed25519),
        changed(curve25519=Machine().curve25519),
        changed(created_ms=NOW_MS + 1),
        changed(approved_by=RECOVERY),
        changed(marked=True),
    ],
)
def test_no_device_changes_its_keys_or_origin(alice: Owner, change: Change) -> None:
    before = grown(alice, Machine())
    first, other = before.manifest.devices
    refuses(before, alice.with_devices(before, first, change(other)))


def test_a_revoked_device_keeps_its_key_and_stays_as_it_is(alice: Owner) -> None:
    machine = Machine()
    live = grown(alice, machine)
    first, other = live.manifest.devices
    gone = other.revoked(NOW_MS)
    for wrong in (
        changed(revoked_ms=NOW_MS)(other),
        changed(revoked_ms=NOW_MS, name="")(other),
        changed(revoked_ms=NOW_MS, curve25519=b"")(other),
        changed(ed25519=Machine().ed25519)(gone),
        changed(marked=True)(gone),
    ):
        refuses(live, alice.with_devices(live, first, wrong))
    before = alice.with_devices(live, first, gone)
    check_successor(live, before)
    for wrong in (
        other,
        changed(revoked_ms=NOW_MS + 1)(gone),
        changed(created_ms=NOW_MS + 1)(gone),
        changed(marked=True)(gone),
    ):
        refuses(before, alice.with_devices(before, first, wrong))
    again = msgspec.structs.replace(Machine().entry(alice.first.id), ed25519=machine.ed25519)
    refuses(before, alice.with_devices(before, first, gone, again))
    refuses(before, alice.with_devices(before, first, gone, machine.entry(alice.first.id)))


def test_a_revoked_or_unknown_device_cannot_co_sign(alice: Owner) -> None:
    machine = Machine()
    live = grown(alice, machine)
    first, other = live.manifest.devices
    before = alice.with_devices(live, first, other.revoked(NOW_MS))
    refuses(before, alice.with_added(before, Machine(), by=machine))
    refuses(before, alice.with_devices(before, *before.manifest.devices, by=machine))
    refuses(before, alice.with_devices(before, *before.manifest.devices, by=Machine()))


def test_a_device_may_revoke_itself(alice: Owner) -> None:
    machine = Machine()
    live = grown(alice, machine)
    first, other = live.manifest.devices
    check_successor(live, alice.with_devices(live, first, other.revoked(NOW_MS), by=machine))


def test_a_new_device_is_approved_by_the_co_signer(alice: Owner) -> None:
    """Else a marked device could pass its newcomers off as those of an unmarked one."""
    second = Machine()
    before = grown(alice, second)
    devices = before.manifest.devices
    for entry in (
        Machine().entry(second.id),
        Machine().entry(FIRST),
        Machine().entry(b"x" * 16),
        Machine().entry(b"nobody"),
        changed(revoked_ms=NOW_MS, name="", curve25519=b"")(Machine().entry(alice.first.id)),
    ):
        refuses(before, alice.with_devices(before, *devices, entry))
    own = Machine()
    refuses(before, alice.with_devices(before, *devices, own.entry(own.id), by=own))


def test_two_devices_may_come_at_once(alice: Owner) -> None:
    before = alice.begin()
    added = (Machine().entry(alice.first.id), Machine().entry(alice.first.id))
    check_successor(before, alice.with_devices(before, *before.manifest.devices, *added))


def test_by_recovery_one_device_comes_in_and_co_signs_itself(alice: Owner) -> None:
    before, machine = alice.begin(), Machine()
    devices = before.manifest.devices
    check_successor(before, alice.with_recovered(before, machine))
    other = Machine()
    for added in (
        (machine.entry(RECOVERY, marked=False),),
        (machine.entry(alice.first.id),),
        (machine.entry(alice.first.id, marked=True),),
        (machine.entry(FIRST),),
        (machine.entry(RECOVERY, marked=True).revoked(NOW_MS),),
        (machine.entry(RECOVERY, marked=True), other.entry(RECOVERY, marked=True)),
        (machine.entry(RECOVERY, marked=True), other.entry(machine.id, marked=True)),
        (other.entry(RECOVERY, marked=True),),
        (),
    ):
        refuses(before, alice.with_devices(before, *devices, *added, by=machine))


def test_by_recovery_nobody_but_the_newcomer_co_signs(alice: Owner) -> None:
    entry = alice.first.entry()
    added = Machine().entry(RECOVERY, marked=True)
    check_grown((entry,), (entry, added), added.id)
    with pytest.raises(SealBroken):
        check_grown((entry,), (entry, added), Machine().id)


def test_by_recovery_lost_devices_may_be_revoked_at_once(alice: Owner) -> None:
    before, machine = alice.begin(), Machine()
    gone = before.manifest.devices[0].revoked(NOW_MS)
    added = machine.entry(RECOVERY, marked=True)
    check_successor(before, alice.with_devices(before, gone, added, by=machine))


def test_a_live_device_may_let_one_in_by_recovery_but_marked(alice: Owner) -> None:
    before = alice.begin()
    devices = before.manifest.devices
    check_successor(before, alice.with_devices(before, *devices, Machine().entry(RECOVERY, marked=True)))
    refuses(before, alice.with_devices(before, *devices, Machine().entry(RECOVERY)))


def test_the_mark_passes_to_every_device_that_a_marked_one_approves(alice: Owner) -> None:
    marked, child, grandchild = Machine(), Machine(), Machine()
    first = alice.begin()
    before = alice.with_recovered(first, marked)
    refuses(before, alice.with_added(before, child, by=marked, marked=False))
    following = alice.with_added(before, child, by=marked, marked=True)
    check_successor(before, following)
    refuses(following, alice.with_added(following, grandchild, by=child, marked=False))
    check_successor(following, alice.with_added(following, grandchild, by=child, marked=True))
    refuses(following, alice.with_added(following, grandchild, marked=True))
    check_successor(following, alice.with_added(following, grandchild, marked=False))


def test_only_an_unmarked_device_ends_the_mark(alice: Owner) -> None:
    marked, newcomer = Machine(), Machine()
    before = alice.with_recovered(alice.begin(), marked)
    first, entry = before.manifest.devices
    cleared = changed(marked=False)(entry)
    refuses(before, alice.with_devices(before, first, cleared, by=marked))
    refuses(
        before,
        alice.with_devices(before, first, cleared, newcomer.entry(RECOVERY, marked=True), by=newcomer),
    )
    ended = alice.with_devices(before, first, cleared)
    check_successor(before, ended)
    refuses(ended, alice.with_devices(ended, first, entry))
    check_successor(ended, alice.with_added(ended, Machine(), by=marked, marked=False))


def test_at_most_so_many_live_devices(alice: Owner) -> None:
    most = tuple(Machine().entry(alice.first.id) for _ in range(limits.DEVICES_PER_ACCOUNT - 1))
    first = alice.begin()
    full = alice.with_devices(first, *first.manifest.devices, *most)
    check_successor(first, full)
    refuses(full, alice.with_added(full, Machine()), Code.TOO_MANY_DEVICES)
    one, *others = full.manifest.devices
    gone = others[0].revoked(NOW_MS)
    room = alice.with_devices(full, one, gone, *others[1:], Machine().entry(alice.first.id))
    check_successor(full, room)


@pytest.mark.parametrize(
    "wrong",
    [
        changed(curve25519=b""),
        changed(curve25519=b"c" * 31),
        changed(curve25519=bytes(32)),
        changed(ed25519=(1).to_bytes(32, "little")),
        changed(name="ö" * 33),
    ],
)
def test_an_entry_that_cannot_be_used_is_refused_at_first_contact_too(alice: Owner, wrong: Change) -> None:
    before = alice.begin()
    new = alice.with_devices(before, alice.first.entry(), wrong(Machine().entry(alice.first.id)))
    refuses(before, new)
    manifest = new.manifest
    leaf = Leaf(LeafKind.MANIFEST, name_hash(manifest.name), manifest.account, 2, new.hash, NO_LEAF)
    with pytest.raises(SealBroken):
        check_newest(new, leaf)


def test_ids_and_keys_are_unique_and_the_first_device_comes_first(alice: Owner) -> None:
    before, machine = alice.begin(), Machine()
    first, added = alice.first.entry(), machine.entry(alice.first.id)
    for devices in (
        (first, changed(id=alice.first.id)(added)),
        (first, changed(ed25519=alice.first.ed25519)(added)),
        (first, changed(curve25519=alice.first.curve25519)(added)),
        (changed(marked=True)(first), added),
        (changed(approved_by=RECOVERY)(first), added),
        (changed(approved_by=machine.id)(first), changed(approved_by=FIRST)(added)),
        (changed(approved_by=RECOVERY)(first), changed(approved_by=FIRST)(added)),
        (first, changed(approved_by=machine.id)(added)),
    ):
        new = alice.with_devices(before, *devices)
        refuses(before, new)
        leaf = Leaf(LeafKind.MANIFEST, name_hash(alice.name), alice.account, 2, new.hash, NO_LEAF)
        with pytest.raises(SealBroken):
            check_newest(new, leaf)
