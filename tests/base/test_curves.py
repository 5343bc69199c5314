"""Points of low order, computed by the curves' own arithmetic."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from coterie.base.curves import (
    _CURVE25519_LOW_ORDER,
    _ED25519_LOW_ORDER,
    curve25519_is_low_order,
    ed25519_is_low_order,
)

PRIME = (1 << 255) - 19
D = -121665 * pow(121666, -1, PRIME) % PRIME
Point = tuple[int, int]


def root_of(square: int) -> int:
    """A square root modulo PRIME (RFC 8032 5.1.3)."""
    root = pow(square, (PRIME + 3) // 8, PRIME)
    if root * root % PRIME != square % PRIME:
        root = root * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    assert root * root % PRIME == square % PRIME
    return root


def doubled(point: Point) -> Point:
    x, y = point
    k = D * x * x * y * y % PRIME
    return (
        2 * x * y * pow(1 + k, -1, PRIME) % PRIME,
        (y * y + x * x) * pow(1 - k, -1, PRIME) % PRIME,
    )


@pytest.mark.parametrize("y", sorted(_ED25519_LOW_ORDER))
def test_each_ed25519_point_is_neutral_after_three_doublings(y: int) -> None:
    point = (root_of((y * y - 1) * pow(D * y * y + 1, -1, PRIME)), y)
    for _ in range(3):
        point = doubled(point)
    assert point == (0, 1)


def test_all_eight_ed25519_points_are_there() -> None:
    """Both signs of x but for the two points where it is 0."""
    signs = [1 if y in (1, PRIME - 1) else 2 for y in _ED25519_LOW_ORDER]
    assert sum(signs) == 8


@pytest.mark.parametrize("u", sorted(_CURVE25519_LOW_ORDER))
def test_each_curve25519_point_is_refused_by_the_agreement_itself(u: int) -> None:
    public = X25519PublicKey.from_public_bytes(u.to_bytes(32, "little"))
    with pytest.raises(ValueError, match="shared key"):
        X25519PrivateKey.generate().exchange(public)


@pytest.mark.parametrize("number", sorted(_CURVE25519_LOW_ORDER))
def test_every_encoding_of_a_curve25519_point_is_found(number: int) -> None:
    for coordinate in (number, number + PRIME):
        for top_bit in (0, 1 << 255):
            if coordinate < 1 << 255:
                assert curve25519_is_low_order((coordinate | top_bit).to_bytes(32, "little"))


@pytest.mark.parametrize("number", sorted(_ED25519_LOW_ORDER))
def test_every_encoding_of_an_ed25519_point_is_found(number: int) -> None:
    for coordinate in (number, number + PRIME):
        for sign in (0, 1 << 255):
            if coordinate < 1 << 255:
                assert ed25519_is_low_order((coordinate | sign).to_bytes(32, "little"))


def test_real_keys_are_of_full_order() -> None:
    for _ in range(20):
        assert not curve25519_is_low_order(X25519PrivateKey.generate().public_key().public_bytes_raw())
        assert not ed25519_is_low_order(Ed25519PrivateKey.generate().public_key().public_bytes_raw())
