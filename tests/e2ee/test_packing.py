"""Rules that hold for every packed format of e2ee."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
import rich.pretty
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.domains import Domain, prefix
from coterie.base.errors import LocalError, SealBroken
from coterie.base.ids import SessionId
from coterie.e2ee.group import InnerMessage, KeyShare, KeyShares
from coterie.e2ee.identity import AccountSecret, Vault, Wrapped
from coterie.e2ee.packing import Format
from coterie.e2ee.pairwise import FreshKey, OlmPlaintext, PlainKind
from tests.e2ee.pair import CONVERSATION, ENVELOPE, MEMBERSHIP, inner_message, person
from tests.examples import examples

ALICE, BOB = person("a"), person("b")
SHARE = KeyShare(CONVERSATION, MEMBERSHIP, SessionId(b"s" * 32), b"k" * 306, 5, b"", 3, b"h" * 32)
SEVERAL = KeyShares((SHARE, msgspec.structs.replace(SHARE, index=0)))
PLAINTEXT = OlmPlaintext(
    ALICE.party, BOB.party, PlainKind.KEY_SHARE, ENVELOPE, FreshKey(9, ALICE.x_wing.public), b"content"
)
VAULT = Vault(b"r" * 16, (Wrapped(1, b"n" * 12, b"ciphertext"),), (b"v" * 16,))
INNER = inner_message(ALICE, body=b"body")

FORMATS: dict[Domain, tuple[bytes, Callable[[bytes], object]]] = {
    Domain.KEY_SHARE: (SHARE.pack(), KeyShare.unpack),
    Domain.KEY_SHARES: (SEVERAL.pack(), KeyShares.unpack),
    Domain.OLM_PLAINTEXT: (PLAINTEXT.pack(), OlmPlaintext.unpack),
    Domain.INNER_MESSAGE: (INNER.pack(), InnerMessage.unpack),
    Domain.VAULT: (VAULT.pack(), Vault.unpack),
}
every_format = pytest.mark.parametrize("domain", FORMATS)


def test_every_format_comes_back_as_it_was() -> None:
    assert KeyShare.unpack(SHARE.pack()) == SHARE
    assert KeyShares.unpack(SEVERAL.pack()) == SEVERAL
    assert OlmPlaintext.unpack(PLAINTEXT.pack()) == PLAINTEXT
    assert InnerMessage.unpack(INNER.pack()) == INNER
    assert Vault.unpack(VAULT.pack()) == VAULT


@every_format
def test_another_domain_another_suite_and_other_lengths_are_refused(domain: Domain) -> None:
    packed, unpack = FORMATS[domain]
    start = len(prefix(domain))
    assert packed.startswith(prefix(domain))
    with pytest.raises(SealBroken) as refused:
        unpack(packed[: start - 1] + b"\x02" + packed[start:])
    assert refused.value.code is Code.BAD_SUITE
    for wrong in (
        prefix(Domain.HEAD) + packed[start:],
        packed[start:],
        packed + b"\x00",
        packed[:-1],
        packed[:start],
        b"",
    ):
        with pytest.raises(SealBroken) as refused:
            unpack(wrong)
        assert refused.value.code is Code.SEAL_BROKEN


@every_format
def test_a_field_too_many_or_too_few_is_refused(domain: Domain) -> None:
    packed, unpack = FORMATS[domain]
    start = len(prefix(domain))
    fields = msgspec.msgpack.decode(packed[start:])
    wrongs: tuple[object, ...] = ([*fields, 1], fields[:-1], [], {}, fields[0])
    for wrong in wrongs:
        with pytest.raises(SealBroken):
            unpack(prefix(domain) + msgspec.msgpack.encode(wrong))


@every_format
@settings(max_examples=examples(100), deadline=None)
@given(data=st.data())
def test_garbage_gives_a_value_of_the_format_or_is_refused(domain: Domain, data: st.DataObject) -> None:
    packed, unpack = FORMATS[domain]
    start = len(prefix(domain))
    garbage = data.draw(st.binary(max_size=80))
    place = data.draw(st.integers(start, len(packed)))
    for wrong in (
        garbage,
        prefix(domain) + garbage,
        packed[:place] + garbage + packed[place:],
        packed[:place] + garbage + packed[place + len(garbage) :],
        prefix(domain) + b"\x91" * 50_000,
        prefix(domain) + b"\xc6\xff\xff\xff\xff" + garbage,
    ):
        try:
            unpack(wrong)
        except SealBroken:
            continue


def test_what_breaks_a_rule_is_not_packed() -> None:
    for share in (
        msgspec.structs.replace(SHARE, session_key=b"k" * 305),
        msgspec.structs.replace(SHARE, predecessor=b"p" * 31),
        msgspec.structs.replace(SHARE, last_n=0),
        msgspec.structs.replace(SHARE, last_hash=b""),
        msgspec.structs.replace(SHARE, index=-1),
        msgspec.structs.replace(SHARE, index=1 << 80),
    ):
        with pytest.raises(LocalError):
            share.pack()
        with pytest.raises(LocalError):
            KeyShares((SHARE, share)).pack()
    for count in (0, 1, limits.KEYS_PER_ENVELOPE + 1):
        with pytest.raises(LocalError):
            KeyShares((SHARE,) * count).pack()
    with pytest.raises(LocalError):
        msgspec.structs.replace(INNER, n=0).pack()
    with pytest.raises(LocalError):
        msgspec.structs.replace(PLAINTEXT, fresh_key=FreshKey(1, b"short")).pack()


def test_key_shares_that_contradict_themselves_are_refused() -> None:
    fields = msgspec.msgpack.decode(SHARE.pack()[len(prefix(Domain.KEY_SHARE)) :])
    for place, wrong in ((5, b"p" * 31), (6, 0), (7, b""), (7, b"h" * 31)):
        altered = [*fields[:place], wrong, *fields[place + 1 :]]
        with pytest.raises(SealBroken):
            KeyShare.unpack(prefix(Domain.KEY_SHARE) + msgspec.msgpack.encode(altered))
        with pytest.raises(SealBroken):
            KeyShares.unpack(prefix(Domain.KEY_SHARES) + msgspec.msgpack.encode([[fields, altered]]))
    for count in (0, 1, limits.KEYS_PER_ENVELOPE + 1):
        with pytest.raises(SealBroken):
            KeyShares.unpack(prefix(Domain.KEY_SHARES) + msgspec.msgpack.encode([[fields] * count]))


@pytest.mark.parametrize(
    "value", [SHARE, SEVERAL, PLAINTEXT, VAULT, VAULT.wrapped[0], INNER], ids=lambda v: type(v).__name__
)
def test_nothing_of_the_content_shows(value: msgspec.Struct) -> None:
    assert repr(value) == f"<{type(value).__name__}>"
    assert repr((value,)) == f"(<{type(value).__name__}>,)"
    assert "b'" not in rich.pretty.pretty_repr(value)


def test_a_lone_surrogate_in_a_field_is_our_own_mistake() -> None:
    class Note(msgspec.Struct, frozen=True, array_like=True):
        text: str

    with pytest.raises(LocalError):
        Format(Domain.HEAD, Note).pack(Note("\ud800"))


def test_the_account_secret_refuses_what_is_no_identity() -> None:
    start = prefix(Domain.ACCOUNT_SECRET)
    for wrong in (
        start + msgspec.msgpack.encode([b"no identity", b"k" * 32]),
        start + msgspec.msgpack.encode([b"", b"k" * 31]),
        start,
        b"",
    ):
        with pytest.raises(SealBroken):
            AccountSecret.unpack(wrong)
