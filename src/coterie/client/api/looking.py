"""What a profile shows without asking the server: people, conversations, messages, its own devices."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.conversations import direct_id
from coterie.base.errors import CoterieError, Refused, SecurityStop, Unavailable
from coterie.base.ids import AccountId, ConversationId, DeviceId, UserName
from coterie.base.names import canonical
from coterie.client.api.health import Health, look, unreadable
from coterie.client.commands import EVERYONE
from coterie.client.core.profile import Profile
from coterie.client.core.receipts import deliveries
from coterie.client.core.recorded import ledger_file
from coterie.client.core.switchboard import Switchboard
from coterie.client.events import (
    Conversation,
    ConversationKind,
    Delivery,
    Device,
    FramesSent,
    LinkChanged,
    LinkState,
    Message,
    Person,
)
from coterie.client.runtime import Runtime
from coterie.client.shapes import Unreadable
from coterie.client.store.faults import WHAT_HELPS
from coterie.client.store.records import NEVER_MS, ConversationRow
from coterie.client.store.sqlite import ClientStore


class Looking:
    """Answers from the store and from what the core holds."""

    def __init__(self, store: ClientStore, runtime: Runtime) -> None:
        self._store = store
        self._runtime = runtime
        self._link = LinkChanged(LinkState.OFFLINE)

    @property
    def _core(self) -> Switchboard:
        return self._runtime.core

    @property
    def _profile(self) -> Profile:
        return self._core.profile

    @property
    def name(self) -> UserName:
        return self._profile.name

    @property
    def account(self) -> AccountId:
        return self._profile.account

    @property
    def device(self) -> DeviceId:
        return self._profile.device

    @property
    def server(self) -> str:
        """HOST:PORT of the server this profile belongs to."""
        return f"{self._profile.host}:{self._profile.port}"

    @property
    def link(self) -> LinkState:
        return self._link.state

    @property
    def everyone(self) -> ConversationId:
        return self._core.everyone

    @property
    def notes(self) -> ConversationId:
        """The conversation with oneself."""
        return direct_id(self.account, self.account)

    def health(self) -> Health:
        """How this profile is, and how many messages cannot be read here."""
        return look(self._store, self.name, self.device, self.link)

    def unreadable(self) -> Unreadable:
        """How many messages cannot be read here, and whether the server is told: health() without a look at
        the whole store."""
        return unreadable(self._store)

    def people(self) -> tuple[Person, ...]:
        """Everybody on this server, by name."""
        return self._core.people.everybody()

    def person(self, name: str) -> Person | None:
        known = self._known_name(name)
        account = self._core.people.named(known) if known else None
        return self._core.people.person(account) if account else None

    def conversations(self) -> tuple[Conversation, ...]:
        """Every conversation with a message or a draft, and everyone; newest first."""
        views = [self._core.views.conversation(row) for row in self._store.conversations()]
        if all(view.id != self.everyone for view in views):
            views.append(self._core.views.conversation(self._everyone_row()))
        views.sort(key=lambda view: -(view.last.order if view.last else 0))
        return tuple(views)

    def conversation(self, conversation: ConversationId) -> Conversation | None:
        if conversation == self.everyone and self._store.conversation(conversation) is None:
            return self._core.views.conversation(self._everyone_row())
        return self._core.views.conversation_by_id(conversation)

    def conversation_with(self, account: AccountId) -> Conversation:
        """The direct conversation with somebody, also before its first message."""
        conversation = direct_id(self.account, account)
        row = self._store.conversation(conversation)
        return self._core.views.conversation(
            row or ConversationRow(conversation, ConversationKind.DIRECT, account)
        )

    def resolve(self, target: str) -> ConversationId:
        """The conversation that a person means by "@bob" or "everyone".

        Raises Refused(unknown-person); Unavailable where nobody of that name is known and there is no
        connection to ask.
        """
        return self._resolve(target)[0]

    def history(
        self, conversation: ConversationId, *, limit: int = 200, before: int | None = None
    ) -> tuple[Message, ...]:
        """The newest messages below the order `before`, newest last."""
        row = self._store.conversation(conversation)
        return tuple(
            self._core.views.message(each, row) for each in self._store.history(conversation, limit, before)
        )

    def delivery(self, message: Message) -> tuple[Delivery, ...]:
        """What became of an own direct message on each device that it is for; empty before it is sealed, and
        for everyone, where nobody says."""
        row = self._store.message(message.order)
        where = self._store.conversation(message.conversation)
        if row is None or not row.own or not row.session:
            return ()
        if where is None or where.kind is not ConversationKind.DIRECT:
            return ()
        return deliveries(self._store, self._core.people, row)

    def later(self, conversation: ConversationId, *, after: int, limit: int = 200) -> tuple[Message, ...]:
        """The oldest messages above the order `after`, newest last."""
        return tuple(map(self._core.views.message, self._store.later(conversation, limit, after)))

    def search(
        self,
        words: str,
        *,
        limit: int = 50,
        conversation: ConversationId | None = None,
        before: int | None = None,
    ) -> tuple[Message, ...]:
        """Messages that contain all the words, newest first; of one conversation, below an order."""
        found = self._store.search(words, limit, conversation, before)
        return tuple(map(self._core.views.message, found))

    def draft(self, conversation: ConversationId) -> str:
        row = self._store.conversation(conversation)
        return row.draft if row else ""

    def ledger_file(self) -> bytes:
        """All that this device holds of the ledger, for anybody to check: a packed LedgerFile. After a stop
        over two heads it has both.

        Raises Unavailable(unreachable) before the first connection.
        """
        return ledger_file(self._store, self._core.trust.witness.kept).pack()

    def devices(self) -> tuple[Device, ...]:
        """The devices of this account, as its newest proven manifest lists them."""
        return self._core.people.own_devices()

    @property
    def reset_at_ms(self) -> int | None:
        """When this account's name will stand for another identity (NameReset), unless keep_name() says no;
        None where nobody asks for that."""
        rows = self._core.people.rows.values()
        pending = (row.from_ms for row in rows if row.name == self.name and row.account != self.account)
        return min((each for each in pending if 0 < each < NEVER_MS), default=None)

    def frames_sent(self) -> tuple[FramesSent, ...]:
        """The last frames that this program sent to the server, oldest first; wire/readable.py names their
        fields. Only what was sent since it was started."""
        return self._runtime.journal.last()

    def questions(self) -> tuple[Device, ...]:
        """Devices that came to this account and about which nobody has said yet "that was me"."""
        return self._core.trust.own.waiting()

    def _resolve(self, target: str) -> tuple[ConversationId, bytes]:
        if target.casefold().lstrip("@") == EVERYONE:
            return self.everyone, b""
        name = self._known_name(target.removeprefix("@"))
        account = self._core.people.named(name) if name else None
        if account is not None:
            return direct_id(self.account, account), account
        if self.link is LinkState.STOPPED:
            raise self._stopped()
        self._core.trust.unledgered.check(_canonical(target.removeprefix("@")))
        if self.link is not LinkState.LIVE:
            raise Unavailable(self._link.code or Code.UNREACHABLE, "nobody of that name is known here yet")
        raise Refused(Code.UNKNOWN_PERSON)

    def _known_name(self, word: str) -> UserName | None:
        """The canonical name of somebody who exists, None for nobody."""
        name = _canonical(word)
        return name if self._core.people.named(name) else None

    def _peer_of(self, conversation: ConversationId) -> bytes:
        if conversation == self.everyone:
            return b""
        row = self._store.conversation(conversation)
        if row is not None:
            return row.peer
        for person in self.people():
            if direct_id(self.account, person.account) == conversation:
                return person.account
        raise Refused(Code.UNKNOWN_PERSON)

    def _where(self, conversation: ConversationId) -> tuple[ConversationId, bytes]:
        """The conversation in which something is said now, and its peer. One of before this account had its
        identity of now goes on in the one that has taken its place."""
        peer = self._peer_of(conversation)
        if not peer:
            return conversation, peer
        row = self._core.people.rows.get(AccountId(peer))
        if row is not None and row.name == self.name:
            peer = self.account
        return direct_id(self.account, AccountId(peer)), peer

    def _target_of(self, conversation: ConversationId) -> str:
        view = self.conversation(conversation)
        return view.target if view else EVERYONE

    def _everyone_row(self) -> ConversationRow:
        return ConversationRow(self.everyone, ConversationKind.EVERYONE, b"")

    def _stopped(self) -> CoterieError:
        code = self._link.code or Code.UNREACHABLE
        if code in (Code.IDENTITY_CHANGED, Code.LEDGER_SPLIT):
            return SecurityStop(code)
        if code is Code.DAMAGED:
            return Unavailable(code, f"the messages on this machine are damaged: {WHAT_HELPS}")
        return Refused(code)


def _canonical(word: str) -> UserName:
    """Empty for what nobody can be called."""
    try:
        return canonical(word)
    except Refused:
        return UserName("")
