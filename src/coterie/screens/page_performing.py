"""Carrying out what the pages want, where the SDK lives."""

from __future__ import annotations

from typing import Final, assert_never

from coterie.e2ee.recovery import RECOVERY_WORDS
from coterie.screens.admission import Admission
from coterie.screens.intents import Done
from coterie.screens.page_intents import (
    AccountRead,
    ApproveJoiner,
    ChangeDevice,
    ChangePassword,
    CheckShown,
    CompareWithJoiner,
    ConfirmContactDevice,
    DeclineJoiner,
    DeliveryRead,
    DeviceChange,
    DevicesRead,
    Farewell,
    FramesRead,
    JoinerCame,
    JoinerCompares,
    KeepName,
    Leave,
    LookForJoiners,
    MakeIdentity,
    MakeRecoveryKey,
    NextJoiner,
    PageFact,
    PageIntent,
    PersonIntent,
    PersonRead,
    PersonStep,
    ReadAccount,
    ReadDelivery,
    ReadDevices,
    ReadFrames,
    ReadPerson,
    RecoveryKeyKept,
    RecoveryKeyMade,
    StepWithPerson,
    StopLooking,
    Telling,
    TellServer,
    Wrapping,
    WrapWithPassword,
)
from coterie.screens.port import ChatPort

LOOKED_BACK: Final = 200
"""So many messages back the newest one of one's own is looked for."""


class PagePerformer:
    """Over one open account. Raises what the port does."""

    def __init__(self, port: ChatPort) -> None:
        self._port = port
        self._admission = Admission(port)

    async def perform(self, intent: PageIntent) -> PageFact | Done:
        match intent:
            case ReadFrames() | ReadDevices() | ReadPerson() | ReadAccount():
                return self._read(intent)
            case ReadDelivery():
                return self._delivery(intent)
            case MakeRecoveryKey(secret=secret):
                await self._port.new_recovery_key(secret)
                return RecoveryKeyMade(intent, self._words)
            case MakeIdentity(secret=secret, new=new):
                await self._port.replace_identity(secret, new)
                return RecoveryKeyMade(intent, self._words)
            case LookForJoiners() | NextJoiner() | CompareWithJoiner():
                return await self._looked(intent)
            case StepWithPerson() | CheckShown() | ConfirmContactDevice():
                await self._about_somebody(intent)
            case ChangeDevice():
                await self._change_device(intent)
            case Leave():
                await self._leave(intent)
            case ApproveJoiner(device=device, secret=secret):
                password, recovery_key = either(secret)
                await self._admission.approve(device, password=password, recovery_key=recovery_key)
            case DeclineJoiner(device=device):
                await self._admission.decline(device)
            case StopLooking():
                await self._admission.stop()
            case _:
                await self._change_account(intent)
        return Done(intent)

    @property
    def _words(self) -> tuple[str, ...]:
        """Of a recovery key that is to be written down."""
        return tuple((self._port.recovery_key or "").split())

    def _read(self, intent: ReadFrames | ReadDevices | ReadPerson | ReadAccount) -> PageFact:
        port = self._port
        match intent:
            case ReadFrames():
                return FramesRead(intent, port.frames_sent())
            case ReadDevices():
                return DevicesRead(intent, port.devices(), port.questions(), port.renewal_due)
            case ReadPerson(name=name):
                return PersonRead(
                    intent,
                    next(each for each in port.people() if each.name == name),
                    port.safety_number(name),
                    port.safety_code(name),
                    port.comparison(name),
                    port.contact_questions(name),
                    port.queued_before(name),
                    port.identity_change(name),
                )
            case ReadAccount():
                wrapping = Wrapping.ALONE if port.wrapped_with_password else Wrapping.NOT_ALONE
                return AccountRead(
                    intent,
                    port.name,
                    port.account,
                    port.server,
                    wrapping,
                    port.is_last_device,
                    port.reset_at_ms,
                    self._words,
                    port.unreadable(),
                )
            case _:
                assert_never(intent)

    def _delivery(self, intent: ReadDelivery) -> DeliveryRead:
        before = None if intent.order is None else intent.order + 1
        written = self._port.history(intent.conversation, limit=LOOKED_BACK, before=before)
        own = (each for each in reversed(written) if each.own and intent.order in (None, each.order))
        message = next(own, None)
        deliveries = () if message is None else self._port.delivery(message)
        return DeliveryRead(intent, self._port.name, message, deliveries)

    async def _looked(self, intent: LookForJoiners | NextJoiner | CompareWithJoiner) -> PageFact | Done:
        match intent:
            case LookForJoiners(code=code):
                await self._admission.look(code or None)
                return Done(intent)
            case NextJoiner():
                joiner = await self._admission.next()
                return JoinerCame(intent, joiner.device, joiner.name)
            case CompareWithJoiner(device=device):
                return JoinerCompares(intent, await self._admission.compare(device))
            case _:
                assert_never(intent)

    async def _about_somebody(self, intent: PersonIntent) -> None:
        match intent:
            case StepWithPerson(name=name, step=step):
                await self._step(name, step)
            case CheckShown(name=name, shown=shown):
                await self._port.check_shown(name, shown)
            case ConfirmContactDevice(name=name, device=device):
                await self._port.confirm_contact_device(name, device)
            case _:
                assert_never(intent)

    async def _step(self, name: str, step: PersonStep) -> None:
        port = self._port
        match step:
            case PersonStep.COMPARE:
                await port.verify(name)
            case PersonStep.SAME:
                await port.emoji_match(name)
            case PersonStep.DIFFERENT:
                await port.end_verification(name, mismatch=True)
            case PersonStep.END:
                await port.end_verification(name)
            case PersonStep.MARK:
                await port.mark_verified(name)
            case PersonStep.FORGET:
                await port.unverify(name)
            case PersonStep.GO_ON:
                await port.accept_identity(name)
            case PersonStep.SEND_QUEUED:
                await port.send_queued(name)
            case PersonStep.DROP_QUEUED:
                await port.drop_queued(name)
            case _:
                assert_never(step)

    async def _change_device(self, intent: ChangeDevice) -> None:
        port, device = self._port, intent.device
        password, recovery_key = either(intent.secret)
        match intent.change:
            case DeviceChange.RENAME:
                await port.rename_device(device, intent.name, password=password, recovery_key=recovery_key)
            case DeviceChange.REVOKE:
                await port.revoke_device(device, password=password, recovery_key=recovery_key)
            case DeviceChange.LOSE:
                await port.lose_device(device, password=password, recovery_key=recovery_key)
            case DeviceChange.UNMARK:
                await port.unmark_device(device, password=password, recovery_key=recovery_key)
            case DeviceChange.DENY:
                await port.deny_device(device, password=password, recovery_key=recovery_key)
            case _:
                assert_never(intent.change)

    async def _change_account(
        self, intent: ChangePassword | WrapWithPassword | RecoveryKeyKept | KeepName | TellServer
    ) -> None:
        port = self._port
        match intent:
            case ChangePassword(secret=secret, new=new):
                await port.change_password(secret, new)
            case WrapWithPassword(secret=secret, wrapping=wrapping):
                await port.wrap_with_password(secret, wrap=wrapping is Wrapping.ALONE)
            case RecoveryKeyKept():
                await port.recovery_key_shown()
            case KeepName(secret=secret):
                await port.keep_name(secret)
            case TellServer(telling=telling):
                await port.tell_server(wanted=telling is Telling.TOLD)
            case _:
                assert_never(intent)

    async def _leave(self, intent: Leave) -> None:
        port = self._port
        password, recovery_key = either(intent.secret)
        match intent.farewell:
            case Farewell.SIGN_OUT:
                await port.sign_out(password=password, recovery_key=recovery_key)
            case Farewell.SIGN_OUT_AND_WIPE:
                await port.sign_out(password=password, recovery_key=recovery_key)
                await port.wipe()
            case Farewell.DELETE:
                await port.delete_account(password=password, recovery_key=recovery_key)
                await port.wipe()
            case Farewell.WIPE:
                await port.wipe()
            case _:
                assert_never(intent.farewell)


def either(secret: str) -> tuple[str, str | None]:
    """A password, or the recovery key, whose words are known by their number: (password, recovery key)."""
    return ("", secret) if len(secret.split()) == RECOVERY_WORDS else (secret, None)
