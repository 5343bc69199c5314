"""Points of low order, which make a key agreement or a signature mean nothing (RFC 7748 6.1, RFC 8032 8)."""

from __future__ import annotations

_PRIME = (1 << 255) - 19
_LOW_255_BITS = (1 << 255) - 1

_CURVE25519_LOW_ORDER = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
        0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
    }
)
"""Their u coordinates: order 1, 2, 4 (curve and twist) and 8."""

_ED25519_LOW_ORDER = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        _PRIME - 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
    }
)
"""Their y coordinates: order 1, 2, 4 and 8."""


def _coordinate(key: bytes) -> int:
    """Little endian without the top bit, reduced: every encoding of a point gives the same number."""
    return (int.from_bytes(key, "little") & _LOW_255_BITS) % _PRIME


def curve25519_is_low_order(key: bytes) -> bool:
    """Whether an agreement with this X25519 key (32 bytes) has a result known to everybody."""
    return _coordinate(key) in _CURVE25519_LOW_ORDER


def ed25519_is_low_order(key: bytes) -> bool:
    """Whether this Ed25519 key (32 bytes) verifies signatures that nobody made."""
    return _coordinate(key) in _ED25519_LOW_ORDER
