"""Limits that must fit into each other."""

from __future__ import annotations

from coterie.base import limits
from coterie.base.signing import IDENTITY_BYTES, IDENTITY_SIGNATURE_BYTES


def test_every_limit_is_a_positive_number_with_a_name_in_capitals() -> None:
    values = {name: value for name, value in vars(limits).items() if name.isupper()}
    assert len(values) > 50
    assert all(isinstance(value, int | float) and value > 0 for value in values.values())


def test_the_largest_things_fit_into_a_frame() -> None:
    assert limits.CIPHERTEXT_BYTES < limits.FRAME_BYTES
    assert limits.ENVELOPES_PER_FRAME * limits.ENVELOPE_BYTES < limits.FRAME_BYTES
    assert limits.REPAIR_ENVELOPE_BYTES < limits.FRAME_BYTES
    assert limits.LEAVES_PER_FRAME * 160 < limits.FRAME_BYTES
    assert limits.MANIFEST_BYTES + limits.VAULT_BYTES < limits.FRAME_BYTES


def test_a_padded_text_fits_into_a_ciphertext() -> None:
    assert 2 * limits.TEXT_BYTES < limits.CIPHERTEXT_BYTES


def test_a_manifest_with_all_its_devices_and_many_revoked_ones_fits() -> None:
    live = 16 + 32 + 32 + limits.DEVICE_NAME_BYTES + 64
    revoked = 16 + 32 + 64
    fixed = IDENTITY_BYTES + IDENTITY_SIGNATURE_BYTES + 512
    assert fixed + limits.DEVICES_PER_ACCOUNT * live + 400 * revoked < limits.MANIFEST_BYTES


def test_what_is_kept_outlives_what_may_still_arrive() -> None:
    assert limits.KEEP_MESSAGE_ID_MS >= 2 * limits.KEEP_ENTRY_MS
    assert limits.KEEP_MAIL_MS >= limits.KEEP_ENTRY_MS + limits.ROTATE_LARGE_MS + limits.GIVE_AGAIN_MS
    assert limits.KEEP_MESSAGE_ID_MS >= limits.KEEP_MAIL_MS
    assert limits.PREKEY_ROTATE_MS < limits.DORMANT_AFTER_MS < limits.PREKEY_MAX_AGE_MS
    assert limits.HEAD_INTERVAL_MS < limits.STALE_HEAD_MS
    assert limits.BACKOFF_FIRST_SECONDS < limits.BACKOFF_LAST_SECONDS
    assert limits.ROTATE_DIRECT_MS < limits.ROTATE_SMALL_MS < limits.ROTATE_LARGE_MS
