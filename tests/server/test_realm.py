"""What the server proves by its own secrets."""

from __future__ import annotations

import hmac

from coterie.base.domains import Domain, prefix
from coterie.base.ids import AccountId, ConversationId, DeviceId
from tests.server.house import House


def test_the_franking_mac_is_the_one_of_the_page(house: House) -> None:
    """docs/protocol.md 5.4; the second one is not touched by the first."""
    account, device, conversation = AccountId(b"a" * 32), DeviceId(b"d" * 16), ConversationId(b"c" * 16)
    for commitment in (b"1" * 32, b"2" * 32):
        said = prefix(Domain.FRANKING_MAC) + commitment + account + device + conversation
        said += (1234).to_bytes(8, "big")
        mac = house.realm.franking_mac(commitment, account, device, conversation, 1234)
        assert mac == hmac.digest(house.realm.secrets.franking, said, "sha256")
