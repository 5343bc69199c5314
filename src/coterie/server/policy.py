"""Who may do how much: rates, shares of a mailbox, who may speak, whose view is too old.

Pure: time is an argument. The numbers stand in base.limits; docs/protocol.md, Quotas.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Hashable
from enum import Enum, IntEnum

import msgspec

from coterie.base import limits

KEYS_MAX = 100_000
"""Buckets remembered per rule; beyond that the full ones are forgotten, then the oldest."""
FAILURES = 20.0
FAILURE_WINDOW_SECONDS = 900.0
FAN_OUT_PER_SECOND = 200.0
FAN_OUT_BURST = 20_000.0
"""Envelopes: the first message to everyone may need one for each of thousands of devices."""
HEADS_PER_SECOND = 1.0
HEADS_BURST = 20.0
REFUSED_VIEWS = 5
"""So often in a row those who join may refuse one message, so that they cannot keep it back for ever."""
SPEAKERS_ABOVE_DEVICES = 1000
COUNTED_DEVICES_PER_ACCOUNT = 3


class Now(msgspec.Struct, frozen=True, gc=False):
    """One moment: wall time for what is kept, monotonic time for rates."""

    wall_ms: int
    monotonic_seconds: float


class Tried(Enum):
    """What is tried from outside to get in, and counted for all servers of the data (tries.py)."""

    LOGIN = "login"
    """Wrong passwords, by (name, address): nobody can lock out a person who is somewhere else."""
    SIGN_UP = "sign-up"
    """By address; none on loopback."""
    FAILED_SIGN_UP = "failed sign-up"
    """That came to nothing, by address; none on loopback."""
    APPROVAL = "approval"
    """Devices that want to join, by address; none on loopback."""


class Allowance(msgspec.Struct, frozen=True):
    """A token bucket: `burst` at once, `per_second` in the long run."""

    per_second: float
    burst: float


ALLOWED = {
    Tried.LOGIN: Allowance(limits.LOGIN_FAILURES / limits.LOGIN_WINDOW_SECONDS, limits.LOGIN_FAILURES),
    Tried.SIGN_UP: Allowance(limits.SIGN_UPS_PER_HOUR / 3600, limits.SIGN_UPS_PER_HOUR),
    Tried.FAILED_SIGN_UP: Allowance(FAILURES / FAILURE_WINDOW_SECONDS, FAILURES),
    Tried.APPROVAL: Allowance(limits.APPROVALS_PER_HOUR / 3600, limits.APPROVALS_BURST),
}


class Buckets:
    """A token bucket per key: `burst` at once, `per_second` in the long run."""

    def __init__(self, per_second: float, burst: float) -> None:
        self._per_second = per_second
        self._burst = burst
        self._left: dict[Hashable, tuple[float, float]] = {}

    def take(self, key: Hashable, now: float, amount: float = 1.0) -> float:
        """Take what is asked and return 0.0, or take nothing and return the seconds until there is enough."""
        burst = self._burst
        wanted = min(burst, amount)
        known = self._left.get(key)
        if known is None:
            left = burst
            if len(self._left) >= KEYS_MAX:
                self._forget(now)
        else:
            left, at = known
            if now > at:
                left += (now - at) * self._per_second
                if left > burst:
                    left = burst
        if left < wanted:
            return (wanted - left) / self._per_second
        self._left[key] = (left - wanted, now)
        return 0.0

    def wait_seconds(self, key: Hashable, now: float) -> float:
        """Seconds until one can be taken; 0.0 for now."""
        left = self._now(key, now)
        return 0.0 if left >= 1.0 else (1.0 - left) / self._per_second

    def give_back(self, key: Hashable) -> None:
        """One that was taken."""
        known = self._left.get(key)
        if known is not None:
            left, at = known
            self._left[key] = (min(self._burst, left + 1.0), at)

    def _now(self, key: Hashable, now: float) -> float:
        known = self._left.get(key)
        if known is None:
            return self._burst
        left, at = known
        if now > at:
            left += (now - at) * self._per_second
        return min(self._burst, left)

    def _forget(self, now: float) -> None:
        for key in [key for key in self._left if self._now(key, now) >= self._burst]:
            del self._left[key]
        for key in list(self._left)[: max(0, len(self._left) - KEYS_MAX + KEYS_MAX // 10)]:
            del self._left[key]


class Rates:
    """Token buckets of throughput: each server counts its own."""

    def __init__(self) -> None:
        self.messages = Buckets(limits.MESSAGES_PER_SECOND, limits.MESSAGES_BURST)
        """By account, all its devices together."""
        self.claims = Buckets(limits.CLAIMS_PER_SECOND, limits.CLAIMS_BURST)
        """By account, in keys."""
        self.fan_out = Buckets(FAN_OUT_PER_SECOND, FAN_OUT_BURST)
        """By account, in envelopes and rows."""
        self.fetches = Buckets(limits.FETCHES_PER_SECOND, limits.FETCHES_BURST)
        """By account, by address of who has none; in frames."""
        self.prekeys = Buckets(limits.PREKEYS_PER_SECOND, limits.PREKEYS_BURST)
        """By account, in keys."""
        self.manifests = Buckets(limits.MANIFEST_TRIES_PER_SECOND, limits.MANIFEST_TRIES_BURST)
        """By account, in tries."""
        self.offers = Buckets(limits.OFFERS_PER_SECOND, limits.OFFERS_BURST)
        """After a restore: by account, by address of who is not signed in yet; in manifests that are new."""
        self.heads = Buckets(HEADS_PER_SECOND, HEADS_BURST)
        """Heads beyond our own that somebody shows, by address: a signature is checked for each."""
        self.blob_bytes = Buckets(limits.BLOB_BYTES_PER_SECOND, limits.BLOB_BYTES_BURST)
        """Of sealed files, up and down, by account."""
        self.approval_watches = Buckets(limits.APPROVAL_WATCHES_PER_SECOND, limits.APPROVAL_WATCHES_BURST)
        """By account."""


def address_prefix(address: str) -> str:
    """What stands for one household: an IPv4 address, the first 64 bits of an IPv6 one."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.IPv6Network((ip, 64), strict=False).network_address)
    return str(ip)


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own; names are not looked up."""
    if address == "localhost":
        return True
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback


class MailShare(IntEnum):
    """The parts of a mailbox, so that strangers cannot fill what friends need."""

    ACCEPTED = 1
    """Own devices, accepted people, groups."""
    EVERYONE = 2
    STRANGER = 3


class Usage(msgspec.Struct, frozen=True, gc=False):
    """What lies in a mailbox."""

    entries: int = 0
    bytes: int = 0

    def plus(self, bytes: int) -> Usage:
        """With one entry more."""
        return Usage(self.entries + 1, self.bytes + bytes)


_WHOLE = Usage(limits.MAILBOX_ENTRIES, limits.MAILBOX_BYTES)
_PERCENT = {MailShare.ACCEPTED: 60, MailShare.EVERYONE: 30, MailShare.STRANGER: 10}
_STRANGER_ENTRIES = 20


def _part(whole: Usage, numerator: int, denominator: int) -> Usage:
    return Usage(whole.entries * numerator // denominator, whole.bytes * numerator // denominator)


SHARE_LIMITS = {share: _part(_WHOLE, percent, 100) for share, percent in _PERCENT.items()}
SENDER_LIMITS = {
    MailShare.ACCEPTED: _part(SHARE_LIMITS[MailShare.ACCEPTED], 1, 3),
    MailShare.EVERYONE: SHARE_LIMITS[MailShare.EVERYONE],
    MailShare.STRANGER: Usage(_STRANGER_ENTRIES, SHARE_LIMITS[MailShare.STRANGER].bytes),
}


def has_room(share: MailShare, of_share: Usage, of_sender: Usage) -> bool:
    """Whether a mailbox may look like this: its whole share, and what one account has in it."""
    whole, one = SHARE_LIMITS[share], SENDER_LIMITS[share]
    return (
        of_share.entries <= whole.entries
        and of_share.bytes <= whole.bytes
        and of_sender.entries <= one.entries
        and of_sender.bytes <= one.bytes
    )


def speakers_only(live_devices: int) -> bool:
    """Whether everyone is so large that only named accounts post there."""
    return live_devices > SPEAKERS_ABOVE_DEVICES


class RefusedView(msgspec.Struct, frozen=True, gc=False):
    """A message was refused for a stale view, with a ledger of this size; times: in a row."""

    message: bytes
    ledger_size: int
    times: int = 1

    def again(self, before: RefusedView | None) -> RefusedView:
        """The same, behind what was refused before."""
        if before is None or before.message != self.message:
            return self
        return RefusedView(self.message, self.ledger_size, before.times + 1)


def spared_from(refused: RefusedView | None, message: bytes, ledger_size: int) -> int:
    """From which leaf on additions cannot refuse this message; -1: all can.

    Only those after the size named in its own refusal cannot, and only once the client has looked at it, and
    only where others came before each of several tries: whoever is spared is given the message and has no key
    of it (docs/decisions/0057). Revocations always count (encryption rule 21).
    """
    if refused is None or refused.message != message or ledger_size < refused.ledger_size:
        return -1
    return refused.ledger_size if refused.times >= REFUSED_VIEWS else -1


def dormant_before_ms(now_ms: int) -> int:
    """A device whose newest X-Wing prekey is of before this moment is dormant (encryption rule 3)."""
    return now_ms - limits.DORMANT_AFTER_MS
