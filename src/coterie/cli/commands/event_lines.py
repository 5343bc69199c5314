"""An event as one line: a JSON object for scripts, a sentence for people."""

from __future__ import annotations

from typing import assert_never

from coterie.cli.account_shapes import (
    GoneShape,
    NotInLedgerShape,
    ResetShape,
    RestoredShape,
    WentBackShape,
)
from coterie.cli.chat_shapes import (
    DrainedShape,
    FetchingShape,
    JoinedShape,
    LedgerShape,
    LinkShape,
    MissingShape,
    PresenceShape,
    QuestionShape,
    ReceiptShape,
    RenewedShape,
    ReplacedShape,
    StuckShape,
    TrustShape,
    message_shape,
    verify_shape,
)
from coterie.cli.commands.message_lines import message_line
from coterie.cli.output import Output, harmless
from coterie.cli.shapes import iso
from coterie.client.events import (
    AccountChangeAnswered,
    AccountDeleted,
    ApprovalHeard,
    ApprovalsRefused,
    BecameNewDevice,
    ContactDeviceQuestion,
    ConversationChanged,
    Device,
    DevicesChanged,
    DrainedBacklog,
    EmojiToCompare,
    Event,
    IdentityChanged,
    IdentityReplaced,
    LedgerDoubted,
    LinkChanged,
    MessageArrived,
    MessageDelivered,
    MessageQueued,
    MessageSent,
    MessagesFetching,
    MessagesMissing,
    NameReset,
    NameWentBack,
    NotInLedger,
    OwnDeviceQuestion,
    PersonAppeared,
    PresenceChanged,
    SendingStuck,
    ServerRestored,
    VaultRenewed,
    VerificationAsked,
    VerificationEnded,
    Verified,
)
from coterie.screens.asking import device_line
from coterie.screens.i18n import Text, doubt_line, link_line, missing_line, refusal, say
from coterie.screens.moments import Calendar
from coterie.screens.server_news import ServerNews, server_line
from coterie.screens.verifying import devices_line, reset_line, verifying_line


class EventLines:
    """Makes lines of events, to be printed as they come."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._calendar = Calendar()

    def line(self, event: Event) -> str:
        """The line of one event; "" where a listener is not told of it."""
        match event:
            case MessageArrived() | MessageSent() | MessageDelivered():
                return self._message(event)
            case PresenceChanged():
                return self._presence(event)
            case PersonAppeared(person):
                joined = JoinedShape(event="joined", name=person.name, account_id=person.account.hex())
                return self._output.rendered(joined, "")
            case AccountDeleted() | NameReset():
                return self._ended(event)
            case DevicesChanged():
                return self._devices(event)
            case (
                Verified()
                | VerificationAsked()
                | EmojiToCompare()
                | VerificationEnded()
                | ContactDeviceQuestion()
                | IdentityChanged()
            ):
                return self._output.rendered(verify_shape(event), verifying_line(event))
            case DrainedBacklog():
                return self._output.rendered(DrainedShape(event="drained"), "")
            case SendingStuck(_, code):
                return self._output.rendered(StuckShape(event="stuck", error=code.value), refusal(code))
            case (
                BecameNewDevice()
                | IdentityReplaced()
                | MessagesMissing()
                | MessagesFetching()
                | OwnDeviceQuestion()
            ):
                return self._warning(event)
            case LinkChanged() | LedgerDoubted() | NotInLedger() | ServerRestored() | NameWentBack():
                return self._server(event)
            case (
                ConversationChanged()
                | MessageQueued()
                | AccountChangeAnswered()
                | VaultRenewed()
                | ApprovalHeard()
                | ApprovalsRefused()
            ):
                return ""
            case _:
                assert_never(event)

    def _ended(self, event: AccountDeleted | NameReset) -> str:
        match event:
            case AccountDeleted(person):
                gone = GoneShape(event="deleted", name=person.name, account_id=person.account.hex())
                return self._output.rendered(gone, say(Text.ACCOUNT_DELETED, name=person.name))
            case NameReset(name, account, state):
                reset = ResetShape(
                    event="reset", name=name, account_id=account.hex(), state=state.value, own=event.own
                )
                return self._output.rendered(reset, reset_line(event))
            case _:
                assert_never(event)

    def _server(self, event: LinkChanged | LedgerDoubted | ServerNews) -> str:
        match event:
            case LinkChanged(state, code):
                shape = LinkShape(event="link", state=state.value, error=None if code is None else code.value)
                return self._output.rendered(shape, link_line(state, code))
            case NotInLedger(name):
                shown = NotInLedgerShape(event="not-in-ledger", name=name)
                return self._output.rendered(shown, server_line(event, self._calendar))
            case ServerRestored(copied_ms):
                restored = RestoredShape(event="server-restored", copied=iso(copied_ms))
                return self._output.rendered(restored, server_line(event, self._calendar))
            case NameWentBack(person):
                back = WentBackShape(event="went-back", name=person.name, account_id=person.account.hex())
                return self._output.rendered(back, server_line(event, self._calendar))
            case LedgerDoubted(code):
                doubt = LedgerShape(event="trust", ledger="well" if code is None else code.value)
                return self._output.rendered(doubt, doubt_line(code))
            case _:
                assert_never(event)

    def _warning(
        self,
        event: BecameNewDevice | IdentityReplaced | MessagesMissing | MessagesFetching | OwnDeviceQuestion,
    ) -> str:
        match event:
            case MessagesFetching(target=target, places=places):
                count = sum(each.count for each in places)
                fetching = FetchingShape(event="fetching", conversation=target, count=count)
                return self._output.rendered(fetching, "")
            case MessagesMissing(target=target, name=name, count=count):
                missing = MissingShape(event="missing", conversation=target, sender=name, count=count)
                return self._output.rendered(missing, missing_line(name, count))
            case OwnDeviceQuestion(device=asked):
                return self.question(asked)
            case BecameNewDevice(device):
                renewed = RenewedShape(event="renewed", device_id=device.hex())
                return self._output.rendered(renewed, say(Text.BECAME_NEW_DEVICE))
            case IdentityReplaced(account):
                replaced = ReplacedShape(event="identity", account_id=account.hex())
                return self._output.rendered(replaced, say(Text.IDENTITY_REPLACED))
            case _:
                assert_never(event)

    def question(self, device: Device) -> str:
        """The question about a device that came to this account, and how to answer it."""
        shape = QuestionShape(
            event="question",
            device_id=device.id.hex(),
            device=device.name,
            created=iso(device.created_ms),
            by_recovery=device.approved_by_recovery,
        )
        which = harmless(device_line(device, self._calendar))
        id = device.id.hex()
        how = f"If it was: coterie devices confirm {id}. If not: coterie devices deny {id}"
        return self._output.rendered(shape, f"{Text.OWN_DEVICE_ASKED.value} {which}. {how}")

    def _message(self, event: MessageArrived | MessageSent | MessageDelivered) -> str:
        message = event.message
        if isinstance(event, MessageDelivered):
            state = message.state.value
            receipt = ReceiptShape(
                event="receipt", id=message.id.hex(), conversation=message.target, state=state
            )
            return self._output.rendered(receipt, "")
        kind = "sent" if isinstance(event, MessageSent) else "message"
        return self._output.rendered(message_shape(message, kind), message_line(message, self._calendar))

    def _presence(self, event: PresenceChanged) -> str:
        person = event.person
        shape = PresenceShape(event="presence", name=person.name, online=person.online, initial=event.initial)
        notice = Text.CONNECTED if person.online else Text.LEFT
        due = not person.me and (person.online or not event.initial)
        return self._output.rendered(shape, say(notice, name=person.name) if due else "")

    def _devices(self, event: DevicesChanged) -> str:
        person = event.person
        shape = TrustShape(
            event="trust",
            name=person.name,
            by_recovery=event.by_recovery,
            change="devices",
            verified=person.verified,
            at=iso(event.published_ms),
        )
        line = devices_line(person, event.by_recovery, event.published_ms, self._calendar)
        return self._output.rendered(shape, line)
