"""What a profile keeps about itself and its server."""

from __future__ import annotations

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.client.core.profile import ServerProof, unpack_proof


def test_a_profile_that_was_never_connected_has_no_proof_of_its_server() -> None:
    with pytest.raises(Unavailable) as caught:
        unpack_proof(None)
    assert caught.value.code is Code.UNREACHABLE
    proof = ServerProof(b"identity", (b"one", b"two"), b"statement")
    assert unpack_proof(proof.pack()) == proof
