"""Who this device is and which server it has pinned: one packed record."""

from __future__ import annotations

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.base.ids import AccountId, DeviceId, LedgerId, UserName


class Profile(msgspec.Struct, frozen=True, array_like=True):
    """server: the founding identity's id, pinned; ledger_key: packed LedgerPublic of the newest statement."""

    name: UserName
    account: AccountId
    device: DeviceId
    device_name: str
    host: str
    port: int
    server: AccountId
    founding_ledger: LedgerId
    ledger: LedgerId
    ledger_key: bytes

    @property
    def goes_on(self) -> bool:
        """Whether the ledger is one that began after a restore of the server: names go on in it where they
        stood."""
        return self.ledger != self.founding_ledger

    @property
    def place(self) -> tuple[str, int]:
        return self.host, self.port

    def pack(self) -> bytes:
        return msgspec.msgpack.encode(self)


_decoder = msgspec.msgpack.Decoder(Profile)


def unpack_profile(data: bytes | None) -> Profile:
    """Raises Unavailable(disk) where the store holds no readable profile."""
    try:
        return _decoder.decode(data or b"")
    except (msgspec.MsgspecError, ValueError):
        raise Unavailable(Code.DAMAGED, "the profile's own record is missing or damaged") from None


class ServerProof(msgspec.Struct, frozen=True, array_like=True):
    """How the server proved itself last: identity, chain, statement and restores as in Welcome."""

    identity: bytes
    chain: tuple[bytes, ...]
    statement: bytes
    restores: tuple[bytes, ...] = ()

    def pack(self) -> bytes:
        return msgspec.msgpack.encode(self)


_proof_decoder = msgspec.msgpack.Decoder(ServerProof)


def unpack_proof(data: bytes | None) -> ServerProof:
    """Raises Unavailable(unreachable) where this profile was never connected."""
    if data is None:
        raise Unavailable(Code.UNREACHABLE, "this profile was never connected")
    return _proof_decoder.decode(data)


class Run(msgspec.Struct, frozen=True, array_like=True):
    """Number of a start and its nonce (encryption rule 28)."""

    number: int
    nonce: bytes

    def pack(self) -> bytes:
        return msgspec.msgpack.encode(self)


_run_decoder = msgspec.msgpack.Decoder(Run)


def next_run(stored: bytes | None, nonce: bytes) -> Run:
    """The run after the stored one; nonce: 16 fresh random bytes."""
    number = _run_decoder.decode(stored).number if stored else 0
    return Run(number + 1, nonce)
