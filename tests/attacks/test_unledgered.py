"""What the server shows for names and its ledger does not have: told once for a name, and never too much."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from coterie.base.errors import NameNotInLedger
from coterie.base.ids import UserName
from coterie.base.signing import IdentityKeys
from coterie.client.core import unledgered
from coterie.client.core.unledgered import Unledgered
from coterie.client.events import NotInLedger
from coterie.wire.frames.accounts import AccountRecord
from tests.attacks.peers import Peer
from tests.attacks.street import Victim


@pytest.fixture
def record(bob: Victim, identities: dict[str, IdentityKeys]) -> Callable[[str], AccountRecord]:
    def made(name: str) -> AccountRecord:
        peer = Peer(identities["carol"], name)
        return AccountRecord(peer.account, (peer.signed.pack(),), ())

    return made


def test_a_name_is_told_once_and_stops(bob: Victim, record: Callable[[str], AccountRecord]) -> None:
    names = Unledgered(bob.core.people)
    assert names.shown(record("zoe")) == (NotInLedger(UserName("zoe")),)
    assert names.shown(record("zoe")) == ()
    with pytest.raises(NameNotInLedger) as stop:
        names.check(UserName("zoe"))
    assert stop.value.name == "zoe"
    names.check(UserName("yan"))


def test_what_claims_no_name_says_nothing(bob: Victim, record: Callable[[str], AccountRecord]) -> None:
    names = Unledgered(bob.core.people)
    assert names.shown(msgspec.structs.replace(record("zoe"), manifests=())) == ()
    assert names.shown(msgspec.structs.replace(record("zoe"), manifests=(b"garbage",))) == ()


def test_a_flood_of_names_is_held_in_bounds(
    bob: Victim, record: Callable[[str], AccountRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unledgered, "NAMES_MOST", 1)
    names = Unledgered(bob.core.people)
    assert names.shown(record("zoe"))
    assert names.shown(record("yan")) == ()
