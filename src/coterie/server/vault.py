"""The two parts of a vault that the server may read: what it must answer a login with (rules 2, 5).

The wrapped secrets in it stay what they are: opaque bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec

from coterie.base.codes import Code
from coterie.base.domains import Domain, digest, unwrap
from coterie.base.errors import Refused, RemoteError
from coterie.server.store.records import Verifier

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


def verifiers_of(
    auth_keys: tuple[bytes, ...], vault: VaultFace, mac: Callable[[bytes], bytes]
) -> tuple[Verifier, ...]:
    """Of the auth keys of a new account, which its vault must name: else a device would believe in a login
    that fails. mac: what the server keeps of one. Raises Refused(bad-manifest)."""
    ids = tuple(verifier_id(key) for key in auth_keys)
    if ids != vault.verifiers or len(set(ids)) != len(ids):
        raise Refused(Code.BAD_MANIFEST, "a vault that names other auth keys")
    return tuple(Verifier(id, mac(key)) for id, key in zip(ids, auth_keys, strict=True))
