"""Knowing that somebody is who they seem to be: numbers, codes and emoji (encryption rule 22)."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.errors import Refused, SealBroken, SecurityStop
from coterie.base.ids import AccountId, DeviceId
from coterie.client.api.waiting import Waiting
from coterie.client.commands import (
    AcceptIdentity,
    CompareEmoji,
    ContactDeviceConfirmed,
    EmojiMatch,
    EndVerification,
    MarkVerified,
    MoveQueued,
    TakeBackVerified,
)
from coterie.client.core.held import as_device
from coterie.client.core.standing import changed, check_may_write
from coterie.client.events import (
    Comparison,
    ComparisonStep,
    Device,
    EndReason,
    IdentityChanged,
    Message,
)
from coterie.e2ee.fingerprint import SafetyCode, as_number, safety_number


class Verifying(Waiting):
    """Names are written "@bob" or "bob"; Refused(unknown-person) for nobody, (usage) for oneself."""

    def safety_number(self, name: str) -> str:
        """60 digits in groups of five: the other person sees the same, unless somebody stands between."""
        return safety_number(self.account, self._other(name))

    def safety_code(self, name: str) -> str:
        """The text of the QR code to show to somebody."""
        return SafetyCode(self.account, self._other(name)).text

    async def check_shown(self, name: str, shown: str) -> None:
        """Compare what the other person's screen shows, the text of a QR code or the number; where it is what
        this server said of them, they are verified.

        Raises SecurityStop(mismatch) where it is not; Refused(usage) for anything else than a code of theirs,
        with a note for the person; Refused(version) for one of a newer coterie.
        """
        account = self._other(name)
        number = as_number(shown)
        if number is not None:
            if number != self.safety_number(name):
                raise SecurityStop(Code.MISMATCH, "a safety number of other accounts")
        else:
            self._check_code(account, shown)
        await self._runtime.tell(MarkVerified(account))

    async def mark_verified(self, name: str) -> None:
        """The person has compared the safety numbers, by eye or by ear, and they match."""
        await self._runtime.tell(MarkVerified(self._other(name)))

    async def unverify(self, name: str) -> None:
        """Somebody is not to count as verified any more, on all own devices. Nothing where they do not."""
        await self._runtime.tell(TakeBackVerified(self._other(name)))

    async def verify(self, name: str) -> None:
        """Compare emoji with somebody: ask them, or agree to what they asked. EmojiToCompare comes once both
        are there, in the end Verified or VerificationEnded."""
        await self._runtime.tell(CompareEmoji(self._other(name)))

    def comparison(self, name: str) -> Comparison | None:
        """Comparing emoji with somebody, as far as it is; None where that is not under way."""
        return self._core.verification.with_(self._other(name))

    async def emoji_match(self, name: str) -> None:
        """The person sees the same emoji. Raises Refused(nothing-to-confirm) where none are shown."""
        account = self._other(name)
        known = self._core.verification.with_(account)
        if known is None or known.step is not ComparisonStep.COMPARING:
            raise Refused(Code.NOTHING_TO_CONFIRM)
        await self._runtime.tell(EmojiMatch(account))

    async def end_verification(self, name: str, *, mismatch: bool = False) -> None:
        """The person does not want to, or (mismatch) sees other emoji. Nothing where nothing is under way."""
        reason = EndReason.MISMATCH if mismatch else EndReason.DECLINED
        await self._runtime.tell(EndVerification(self._other(name), reason))

    async def accept_identity(self, name: str) -> None:
        """Go on with the identity that somebody has now. Raises Refused(nothing-to-confirm) where it has not
        changed; PersonChanged where the one before was verified: verify the new one."""
        account = self._other(name)
        if not self._core.people.rows[account].waits:
            raise Refused(Code.NOTHING_TO_CONFIRM)
        await self._runtime.tell(AcceptIdentity(account))
        check_may_write(self._core.people, account)

    def identity_change(self, name: str) -> IdentityChanged | None:
        """What the ledger supports of somebody's new identity, while that waits for the person's word."""
        row = self._core.people.rows[self._other(name)]
        return next(iter(changed(self._core.people, row)), None)

    def queued_before(self, name: str) -> tuple[Message, ...]:
        """What you wrote to the identities that somebody had before, and no server has taken: it is never
        sent to the new one by itself."""
        rows = self._core.standings.queued(self._other(name))
        return self._core.views.messages(row.order for row in rows)

    async def send_queued(self, name: str) -> None:
        """Say it to the identity of now, in the same order. Raises PersonChanged while that waits itself."""
        account = self._other(name)
        check_may_write(self._core.people, account)
        await self._runtime.tell(MoveQueued(account, send=True))

    async def drop_queued(self, name: str) -> None:
        """Never send it. What may have arrived all the same stays, as unsure."""
        await self._runtime.tell(MoveQueued(self._other(name), send=False))

    def contact_questions(self, name: str) -> tuple[Device, ...]:
        """Devices that came to a verified person's account by passphrase or recovery key, and that nobody
        here has confirmed: what is for that person alone is not sealed for them."""
        return tuple(map(as_device, self._core.trust.held.of(self._other(name))))

    async def confirm_contact_device(self, name: str, device: DeviceId) -> None:
        """You have asked that person, and the device is theirs; so is whatever it approved. What it is owed
        goes to it now. Raises Refused(unknown-device) where nothing is asked about it."""
        account = self._other(name)
        if device not in {each.id for each in self.contact_questions(name)}:
            raise Refused(Code.UNKNOWN_DEVICE)
        await self._runtime.tell(ContactDeviceConfirmed(account, device))

    def _other(self, name: str) -> AccountId:
        _, account = self._resolve("@" + name.removeprefix("@"))
        if account == self.account:
            raise Refused(Code.USAGE, "there is nothing to verify about yourself")
        return AccountId(account)

    def _check_code(self, account: AccountId, shown: str) -> None:
        try:
            code = SafetyCode.from_text(shown)
        except SealBroken as broken:
            if broken.code is Code.VERSION:
                raise Refused(Code.VERSION) from None
            raise Refused(Code.USAGE, "this is neither a safety number nor the text of a code") from None
        if code.shower == self.account and code.scanner != self.account:
            raise Refused(Code.USAGE, "this is a code that you show: scan theirs")
        if code != SafetyCode(account, self.account):
            raise SecurityStop(Code.MISMATCH, "a safety code of other accounts")
