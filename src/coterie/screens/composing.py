"""What stands in the composer of each conversation, what is on its way from there, and the line below it."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.ids import ConversationId
from coterie.screens.i18n import Text, refusal, say
from coterie.screens.intents import Failed, Said, SaveDraft, SayText
from coterie.screens.list_rows import ListRows
from coterie.screens.signals import Batch, DraftShown, ErrorShown, ReachEnd, TextReturned


class Composing:
    """Drafts, and the line below each. What could not be said returns: nothing typed is lost."""

    def __init__(self, rows: ListRows) -> None:
        self._rows = rows
        self._drafts: dict[ConversationId, str] = {}
        self._saved: dict[ConversationId, str] = {}
        self._lines: dict[ConversationId, ErrorShown] = {}

    def knows(self, conversation: ConversationId) -> bool:
        return conversation in self._saved

    def stored(self, conversation: ConversationId, draft: str) -> None:
        """The draft as it lies in the store, read when the conversation is opened first."""
        self._saved[conversation] = draft
        self._drafts.setdefault(conversation, draft)

    def show(self, conversation: ConversationId, batch: Batch) -> None:
        """Everything about a conversation that is now selected."""
        batch.show(DraftShown(self._drafts.get(conversation, "")))
        batch.show(self._lines.get(conversation, ErrorShown("")))

    def typed(self, conversation: ConversationId, text: str, batch: Batch) -> None:
        """The composer holds this now. An error stays until the person writes on."""
        if self._drafts.get(conversation, "") == text:
            return
        self._drafts[conversation] = text
        if self._lines.pop(conversation, None) is not None:
            batch.show(ErrorShown(""))

    def save(self, conversation: ConversationId, batch: Batch) -> None:
        """Have the draft stored where it is not yet."""
        draft = self._drafts.get(conversation, "")
        if self._saved.get(conversation, "") != draft:
            self._saved[conversation] = draft
            batch.ask(SaveDraft(conversation, draft))

    def leave(self, conversation: ConversationId, batch: Batch) -> None:
        """Another conversation is selected: the list shows what waits here."""
        self.save(conversation, batch)
        self._rows.draft(conversation, self._drafts.get(conversation, ""), batch)

    def submit(self, conversation: ConversationId, text: str, batch: Batch) -> None:
        """Say it."""
        text = text.encode("utf-8", "ignore").decode()
        if not text.strip():
            return
        self._drafts[conversation] = ""
        self._lines.pop(conversation, None)
        batch.show(DraftShown(""))
        batch.show(ErrorShown(""))
        batch.ask(SayText(conversation, text))

    def said(self, fact: Said, selected: ConversationId | None, batch: Batch) -> None:
        """It is in the outbox."""
        conversation = fact.asked.conversation
        self.save(conversation, batch)
        if conversation != selected:
            return
        if fact.sent.conversation == conversation:
            batch.show(ReachEnd())
            return
        to = fact.sent.target
        line = say(Text.SENT_TO, name=to.removeprefix("@")) if to[:1] == "@" else say(Text.SENT_TO_EVERYONE)
        self._line(conversation, ErrorShown(line, info=True), selected, batch)

    def refused(self, fact: Failed, selected: ConversationId | None, batch: Batch) -> None:
        """It could not be said: the text returns to where it was typed."""
        if not isinstance(fact.asked, SayText):
            return
        conversation, text = fact.asked.conversation, fact.asked.text
        typed_since = self._drafts.get(conversation, "")
        self._drafts[conversation] = f"{text}\n{typed_since}" if typed_since else text
        self.save(conversation, batch)
        if conversation == selected:
            batch.show(TextReturned(text))
        else:
            self._rows.draft(conversation, self._drafts[conversation], batch)
        self.trouble(conversation, fact.code, selected, batch)

    def trouble(
        self, conversation: ConversationId, code: Code, selected: ConversationId | None, batch: Batch
    ) -> None:
        """Something about sending here went wrong."""
        self._line(conversation, ErrorShown(refusal(code)), selected, batch)

    def settled(self, conversation: ConversationId, selected: ConversationId | None, batch: Batch) -> None:
        """A message of this conversation reached the server: what was wrong with sending is over."""
        if self._lines.pop(conversation, None) is not None and conversation == selected:
            batch.show(ErrorShown(""))

    def _line(
        self,
        conversation: ConversationId,
        line: ErrorShown,
        selected: ConversationId | None,
        batch: Batch,
    ) -> None:
        self._lines[conversation] = line
        if conversation == selected:
            batch.show(line)
