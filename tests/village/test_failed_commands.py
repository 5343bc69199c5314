"""What a person asks fails, in the same turn in which the server's answers came: nothing of those is lost."""

from __future__ import annotations

import pytest

import coterie
from coterie.base import limits
from coterie.base.errors import CoterieError
from coterie.base.ids import MessageId
from coterie.client.api.me import Me
from coterie.client.commands import Say
from coterie.content.body import Text
from coterie.wire.frames import Claimed, ServerFrame
from tests.village.conftest import PATIENCE_SECONDS, Village, acquainted

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


def fails_along_with_keys(me: Me, said: MessageId) -> list[BaseException | None]:
    """With the next keys that the server gives, the person says something under a number that is taken."""
    connection = me._runtime._connection
    assert connection is not None
    sink = connection._sink
    assert sink is not None
    failed: list[BaseException | None] = []

    def together(frames: tuple[ServerFrame, ...]) -> None:
        sink(frames)
        if any(isinstance(frame, Claimed) for frame in frames) and not failed:
            failed.append(None)
            asked = me._runtime.tell(Say(me.resolve("everyone"), b"", said, Text("again")))
            asked.add_done_callback(lambda done: failed.append(done.exception()))

    connection._sink = together
    return failed


async def test_keys_that_came_with_a_command_that_fails_are_not_lost(village: Village) -> None:
    """The turn is tried again one by one, and by then memory says what the store does not: that answers have
    come, and that keys were asked for. Lines would wait for those until the server counts as dead."""
    alice = await village.person("alice")
    first = await alice.send("everyone", "nobody is there yet", timeout_seconds=PATIENCE_SECONDS)
    bob = await village.person("bob")
    await acquainted(alice, bob)
    failed = fails_along_with_keys(alice, first.id)
    await alice.send("@bob", "with your keys", timeout_seconds=PATIENCE_SECONDS)
    assert isinstance(failed[1], CoterieError)
    assert [each.text for each in alice.history(alice.resolve("everyone"))] == ["nobody is there yet"]
    sent = await alice.send("everyone", "to all", timeout_seconds=limits.ANSWER_SECONDS)
    assert sent.state is coterie.MessageState.SENT
    await bob.wait_drained(PATIENCE_SECONDS)
    assert [each.text for each in bob.history(bob.resolve("@alice"))] == ["with your keys"]
