"""The two parts of a vault that the server may read: what it must answer a login with (rules 2, 5).

The wrapped secrets in it stay what they are: opaque bytes.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from coterie.base.codes import Code
from coterie.base.domains import Domain, digest, unwrap
from coterie.base.errors import RemoteError

_Id16 = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]


class VaultFace(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """random: the random part of the salt; verifiers: ids of the auth keys that log in."""

    random: _Id16
    wrapped: Annotated[tuple[msgspec.Raw, ...], msgspec.Meta(max_length=16)]
    verifiers: Annotated[tuple[_Id16, ...], msgspec.Meta(max_length=16)]


_decoder = msgspec.msgpack.Decoder(VaultFace)


def read_vault(data: bytes) -> VaultFace:
    """Raises RemoteError."""
    try:
        return _decoder.decode(unwrap(Domain.VAULT, data))
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        raise RemoteError(Code.BAD_FRAME, "not a vault") from None


def verifier_id(auth_key: bytes) -> bytes:
    """How a vault names an auth key, 16 bytes."""
    return digest(Domain.VERIFIER_ID, auth_key)[:16]
