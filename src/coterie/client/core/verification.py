"""Comparing emoji with somebody in the direct conversation, until both have said that they match (rule 22).

Every message of it is a body like any other there, sealed and counted, that no screen shows. One exchange
with each person at a time. Where both ask at once, the start of the lower account id counts.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator

from coterie.base import limits
from coterie.base.conversations import direct_id
from coterie.base.errors import SealBroken
from coterie.base.ids import AccountId, DeviceId, MessageId
from coterie.client.commands import Say
from coterie.client.core.exchange import Exchange, Happened
from coterie.client.core.keyring import Keyring
from coterie.client.core.outbox import Outbox
from coterie.client.core.people import People
from coterie.client.core.sending import Sending
from coterie.client.core.standing import Standings
from coterie.client.emoji import emoji_of
from coterie.client.events import Comparison, EmojiToCompare, EndReason, VerificationAsked, VerificationEnded
from coterie.client.outcome import Outcome
from coterie.client.shapes import ComparisonStep as Step
from coterie.client.store.records import MessageRow
from coterie.content.body import Text, Unknown, unpack
from coterie.content.body.verification import (
    CancelReason,
    VerifyCancel,
    VerifyConfirm,
    VerifyKey,
    VerifyReveal,
    VerifyStart,
)
from coterie.content.body.verification import Verification as Body
from coterie.e2ee.pairwise import Party
from coterie.e2ee.sas import Agreement, Answerer, SasPurpose, Starter, Terms

log = logging.getLogger("coterie.client.verification")

_SAID: dict[EndReason, CancelReason] = {
    EndReason.DECLINED: CancelReason.DECLINED,
    EndReason.MISMATCH: CancelReason.MISMATCH,
    EndReason.TIMED_OUT: CancelReason.TIMED_OUT,
    EndReason.BROKEN: CancelReason.BROKEN,
}
_HEARD = {int(number): reason for reason, number in _SAID.items()}


class Verification:
    """The exchanges under way, by the person they are with."""

    def __init__(
        self, keyring: Keyring, people: People, outbox: Outbox, sending: Sending, standings: Standings
    ) -> None:
        self._keyring = keyring
        self._people = people
        self._outbox = outbox
        self._sending = sending
        self._standings = standings
        self._exchanges: dict[AccountId, Exchange] = {}
        self._lost: list[Exchange] = []

    def with_(self, account: AccountId) -> Comparison | None:
        """How far an exchange with somebody is; None where there is none."""
        exchange = self._exchanges.get(account)
        if exchange is None:
            return None
        agreement = exchange.agreement
        return Comparison(exchange.step, emoji_of(agreement.emoji) if agreement is not None else ())

    @property
    def wake_at_ms(self) -> int | None:
        """When the next one has waited long enough."""
        return min((each.until_ms for each in self._exchanges.values()), default=None)

    def forget(self) -> None:
        """The turn has failed: keys may be used up that it changed. Ended at the next one."""
        self._lost += self._exchanges.values()
        self._exchanges.clear()

    def tell_lost(self, now_ms: int) -> Iterator[Outcome]:
        """Exchanges that a failed turn ended."""
        lost, self._lost = self._lost, []
        for exchange in lost:
            yield from self._end(exchange, EndReason.BROKEN, now_ms)

    def tick(self, now_ms: int) -> Iterator[Outcome]:
        """End those that have waited long enough."""
        for exchange in list(self._exchanges.values()):
            if now_ms >= exchange.until_ms:
                yield from self._end(exchange, EndReason.TIMED_OUT, now_ms)

    def ask(self, account: AccountId, now_ms: int) -> Iterator[Outcome]:
        """This person wants to compare: begin, or join what the other has begun."""
        known = self._exchanges.get(account)
        if known is not None and known.step is Step.INVITED:
            yield from self._join(known, now_ms)
            return
        if known is not None:
            yield from self._end(known, EndReason.DECLINED, now_ms)
        exchange = secrets.token_bytes(16)
        starter = Starter(Terms(SasPurpose.CONTACT, exchange, self._here))
        self._exchanges[account] = Exchange(exchange, account, None, starter, Step.ASKED, now_ms)
        yield self._start(self._exchanges[account], now_ms)

    def match(self, account: AccountId, now_ms: int) -> Iterator[Outcome]:
        """This person says that the emoji are the same on both screens."""
        exchange = self._exchanges.get(account)
        if exchange is None or exchange.agreement is None or exchange.step is not Step.COMPARING:
            return
        exchange.go(Happened.SAID_YES, now_ms)
        yield self._say(account, VerifyConfirm(exchange.id, exchange.agreement.confirmation), now_ms)
        yield from self._both_said_yes(exchange)

    def end(self, account: AccountId, reason: EndReason, now_ms: int) -> Iterator[Outcome]:
        """This person wants no more, or sees other emoji."""
        exchange = self._exchanges.get(account)
        if exchange is not None:
            yield from self._end(exchange, reason, now_ms)

    def came(self, row: MessageRow, now_ms: int) -> Iterator[Outcome]:
        """A message that no screen shows has been opened and kept. It counts between the two alone, and a
        start for as long as somebody waits for its answer."""
        body, account, device = unpack(row.body), row.account, row.device
        party, own = self._party(account, device), account == self._people.me
        between = own or row.conversation == direct_id(self._people.me, account)
        if party is None or isinstance(body, Text | Unknown) or not between:
            return
        if own:
            yield from self._elsewhere(body)
            return
        if isinstance(body, VerifyStart):
            if now_ms - row.server_ms < limits.VERIFY_PERSON_MS:
                yield from self._invited(party, body, now_ms)
            return
        exchange = self._exchanges.get(account)
        if exchange is None or exchange.id != body.exchange or exchange.device not in (None, device):
            return
        try:
            yield from self._next(exchange, party, body, now_ms)
        except SealBroken as broken:
            log.warning("a comparison of emoji was broken off: %s", broken.note)
            yield from self._end(exchange, EndReason.BROKEN, now_ms)

    def _invited(self, party: Party, body: VerifyStart, now_ms: int) -> Iterator[Outcome]:
        """Somebody asks. Where this person has asked too, one of both starts counts, and nobody is asked; it
        is said again, for the other's program may have been another one when it came."""
        account = party.account
        known = self._exchanges.get(account)
        if known is not None and known.id == body.exchange:
            return
        both = known is not None and known.step is Step.ASKED
        if known is not None and both and self._people.me < account:
            yield self._start(known, now_ms)
            return
        if known is not None and not both:
            yield self._ended(known, EndReason.DECLINED)
        terms = Terms(SasPurpose.CONTACT, body.exchange, party)
        half = Answerer(terms, self._here, body.commitment)
        exchange = Exchange(body.exchange, account, party.device, half, Step.INVITED, now_ms)
        self._exchanges[account] = exchange
        if both:
            yield from self._join(exchange, now_ms)
        else:
            yield Outcome(show=(VerificationAsked(self._people.person(account)),))

    def _start(self, exchange: Exchange, now_ms: int) -> Outcome:
        commitment = exchange.half.commitment
        return self._say(exchange.peer, VerifyStart(exchange.id, commitment), now_ms)

    def _join(self, exchange: Exchange, now_ms: int) -> Iterator[Outcome]:
        exchange.go(Happened.JOINED, now_ms)
        yield self._say(exchange.peer, VerifyKey(exchange.id, exchange.half.public), now_ms)

    def _next(
        self,
        exchange: Exchange,
        party: Party,
        body: VerifyKey | VerifyReveal | VerifyConfirm | VerifyCancel,
        now_ms: int,
    ) -> Iterator[Outcome]:
        """Raises SealBroken for what does not follow, or does not hold."""
        match body:
            case VerifyKey(_, key) if isinstance(exchange.half, Starter):
                exchange.go(Happened.KEY_CAME, now_ms)
                exchange.device = party.device
                agreement = exchange.half.agree(party, key)
                yield self._say(exchange.peer, VerifyReveal(exchange.id, exchange.half.public), now_ms)
                yield self._compare(exchange, agreement)
            case VerifyReveal(_, key) if isinstance(exchange.half, Answerer):
                exchange.go(Happened.KEY_REVEALED, now_ms)
                yield self._compare(exchange, exchange.half.agree(key))
            case VerifyConfirm(_, mac):
                if exchange.agreement is None:
                    raise SealBroken("a confirmation of what nobody has seen")
                exchange.agreement.check(mac)
                exchange.their_yes = mac
                yield from self._both_said_yes(exchange)
            case VerifyCancel(_, reason):
                yield self._ended(exchange, _HEARD.get(reason, EndReason.DECLINED))
            case _:
                raise SealBroken("what the other half of an exchange says")

    def _compare(self, exchange: Exchange, agreement: Agreement) -> Outcome:
        exchange.agreement = agreement
        emoji = emoji_of(agreement.emoji)
        return Outcome(show=(EmojiToCompare(self._people.person(exchange.peer), emoji),))

    def _both_said_yes(self, exchange: Exchange) -> Iterator[Outcome]:
        if exchange.step is Step.SAID_YES and exchange.their_yes:
            del self._exchanges[exchange.peer]
            yield self._standings.verified(exchange.peer, exchange.device)
            yield self._standings.asked(exchange.peer)

    def _elsewhere(self, body: Body) -> Iterator[Outcome]:
        """Another device of this account answered, or declined, what both were asked."""
        for exchange in list(self._exchanges.values()):
            if exchange.id == body.exchange and exchange.step is Step.INVITED:
                yield self._ended(exchange, EndReason.ELSEWHERE)

    def _end(self, exchange: Exchange, reason: EndReason, now_ms: int) -> Iterator[Outcome]:
        """End it, and tell the other side."""
        yield self._say(exchange.peer, VerifyCancel(exchange.id, int(_SAID[reason])), now_ms)
        yield self._ended(exchange, reason)

    def _ended(self, exchange: Exchange, reason: EndReason) -> Outcome:
        if self._exchanges.get(exchange.peer) is exchange:
            del self._exchanges[exchange.peer]
        return Outcome(show=(VerificationEnded(self._people.person(exchange.peer), reason),))

    def _say(self, account: AccountId, body: Body, now_ms: int) -> Outcome:
        conversation = direct_id(self._people.me, account)
        self._sending.later(conversation)
        return self._outbox.say(Say(conversation, account, MessageId(secrets.token_bytes(16)), body), now_ms)

    @property
    def _here(self) -> Party:
        return Party(self._people.me, self._people.device, self._keyring.device.ed25519)

    def _party(self, account: AccountId, device: DeviceId) -> Party | None:
        """A live device of somebody, None for any other."""
        known = self._people.device_of(account, device)
        return Party(account, device, known.ed25519) if known is not None and known.live else None
