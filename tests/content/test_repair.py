"""Repair requests and repairs: all come back, and nothing else is taken for one."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.domains import Domain, prefix, wrap
from coterie.base.errors import RemoteError
from coterie.content.repair import (
    REPAIR_INNER_BYTES,
    WANTED_MOST,
    Entry,
    NotForYou,
    Repair,
    RepairRequest,
    Stood,
    Wanted,
)
from tests.examples import examples

ENTRY = Wanted(bytes(16), bytes(16), b"m" * 16, 0, b"")
LOST = Wanted(bytes(16), bytes(16), b"", 7, b"h" * 32)

id16 = st.binary(min_size=16, max_size=16)
id32 = st.binary(min_size=32, max_size=32)
wanted = st.builds(Wanted, id16, id16, id16, st.just(0), st.just(b"")) | st.builds(
    Wanted, id16, id16, st.just(b""), st.integers(1, 1 << 62), id32
)
stood = st.none() | st.builds(
    Stood, st.binary(max_size=256), st.binary(max_size=256), st.integers(0, 1 << 62),
    st.lists(id32, max_size=32).map(tuple),
)  # fmt: skip
repairs = st.builds(Repair, id32, st.integers(0, (1 << 32) - 1), st.binary(min_size=1, max_size=500))


@settings(max_examples=examples(100))
@given(st.lists(wanted, min_size=1, max_size=WANTED_MOST), stood, repairs)
def test_all_of_both_comes_back(asked: list[Wanted], shown: Stood | None, given_back: Repair) -> None:
    request = RepairRequest(tuple(asked), shown)
    assert RepairRequest.unpack(request.pack()) == request
    assert Repair.unpack(given_back.pack()) == given_back


@settings(max_examples=examples(200))
@given(st.binary(max_size=200))
def test_garbage_is_refused_or_is_a_request(data: bytes) -> None:
    for tried in (data, wrap(Domain.REPAIR_REQUEST, data)):
        try:
            said = RepairRequest.unpack(tried)
        except RemoteError:
            continue
        assert RepairRequest.unpack(said.pack()) == said


@settings(max_examples=examples(200))
@given(st.binary(max_size=200))
def test_garbage_is_refused_or_is_a_repair(data: bytes) -> None:
    for tried in (data, wrap(Domain.REPAIR, data)):
        try:
            said = Repair.unpack(tried)
        except RemoteError:
            continue
        assert Repair.unpack(said.pack()) == said


@settings(max_examples=examples(100))
@given(st.lists(st.builds(Entry, id16, id16), min_size=1, max_size=WANTED_MOST))
def test_what_is_not_for_somebody_comes_back(entries: list[Entry]) -> None:
    assert NotForYou.unpack(NotForYou(tuple(entries)).pack()) == NotForYou(tuple(entries))


@settings(max_examples=examples(200))
@given(st.binary(max_size=200))
def test_garbage_is_refused_or_names_entries(data: bytes) -> None:
    for tried in (data, wrap(Domain.NOT_FOR_YOU, data)):
        try:
            said = NotForYou.unpack(tried)
        except RemoteError:
            continue
        assert NotForYou.unpack(said.pack()) == said


@pytest.mark.parametrize(
    "entries",
    [(), (Entry(bytes(15), bytes(16)),), (Entry(bytes(16), bytes(17)),), (Entry(bytes(16), bytes(16)),) * 51],
)
def test_what_names_no_entries_is_refused(entries: tuple[Entry, ...]) -> None:
    with pytest.raises(RemoteError):
        NotForYou.unpack(NotForYou(entries).pack())


@pytest.mark.parametrize(
    "asked",
    [
        (),
        (Wanted(bytes(15), bytes(16), b"m" * 16, 0, b""),),
        (Wanted(bytes(16), bytes(16), b"m" * 15, 0, b""),),
        (Wanted(bytes(16), bytes(16), b"m" * 16, 1, b""),),
        (Wanted(bytes(16), bytes(16), b"", 0, b"h" * 32),),
        (Wanted(bytes(16), bytes(16), b"", 1, b"h" * 31),),
        (Wanted(bytes(16), bytes(16), b"", 1, b""),),
        (ENTRY,) * (WANTED_MOST + 1),
    ],
)
def test_a_request_that_breaks_the_rules_is_refused(asked: tuple[Wanted, ...]) -> None:
    with pytest.raises(RemoteError) as refused:
        RepairRequest.unpack(RepairRequest(asked).pack())
    assert refused.value.code is Code.BAD_FRAME


@pytest.mark.parametrize(
    "shown",
    [
        Stood(bytes(257), b"", 0, ()),
        Stood(b"", bytes(257), 0, ()),
        Stood(b"", b"", -1, ()),
        Stood(b"", b"", 0, (bytes(31),)),
        Stood(b"", b"", 0, (bytes(32),) * 33),
    ],
)
def test_a_proof_that_breaks_the_rules_is_refused(shown: Stood) -> None:
    with pytest.raises(RemoteError) as refused:
        RepairRequest.unpack(RepairRequest((ENTRY,), shown).pack())
    assert refused.value.code is Code.BAD_FRAME


@pytest.mark.parametrize(
    "given_back",
    [
        Repair(bytes(31), 0, b"i"),
        Repair(bytes(32), -1, b"i"),
        Repair(bytes(32), 1 << 32, b"i"),
        Repair(bytes(32), 0, b""),
        Repair(bytes(32), 0, bytes(REPAIR_INNER_BYTES + 1)),
    ],
)
def test_a_repair_that_breaks_the_rules_is_refused(given_back: Repair) -> None:
    with pytest.raises(RemoteError) as refused:
        Repair.unpack(given_back.pack())
    assert refused.value.code is Code.BAD_FRAME


@pytest.mark.parametrize("domain", [Domain.REPAIR_REQUEST, Domain.REPAIR])
def test_another_suite_is_refused(domain: Domain) -> None:
    kind = RepairRequest if domain is Domain.REPAIR_REQUEST else Repair
    with pytest.raises(RemoteError) as refused:
        kind.unpack(prefix(domain)[:-1] + b"\x02")
    assert refused.value.code is Code.BAD_SUITE


def test_as_many_as_may_be_asked_for_fit_into_an_envelope() -> None:
    """With the proof of somebody who stood in a ledger of four thousand million leaves."""
    shown = Stood(bytes(160), bytes(140), 1 << 31, (bytes(32),) * 32)
    lost = msgspec.structs.replace(LOST, n=1 << 62)
    assert len(RepairRequest((lost,) * WANTED_MOST, shown).pack()) < 8 * 1024 - 2048
