"""Server and home put back from copies, before they met: the copy goes on as its device, and no number, no
ratchet and no key of what was said in between is used again (decision 0046)."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest

from coterie.client.api.me import Me
from tests.village.conftest import Heard, Village, acquainted
from tests.village.test_restored_server import Copied, alarms, restored, said, texts

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


async def test_what_a_copied_home_says_to_a_restored_server_is_read(village: Village) -> None:
    """Also what was queued in the copy, and said by the original meanwhile: it stands once."""
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    await said(alice, "@bob", "one")
    await said(bob, "@alice", "two")
    await Heard(alice).until(lambda _: texts(alice, "@bob").total() == 2)
    copy = Copied(village)
    ears = Heard(bob)
    original = await _copied_with_a_queue(village, alice, "three")
    await said(original, "@bob", "four")
    await said(original, "everyone", "in between")
    await ears.until(lambda _: texts(bob, "@alice").total() == 4 and texts(bob, "everyone").total() == 1)
    await said(bob, "@alice", "five")
    await Heard(original).until(lambda _: texts(original, "@bob").total() == 5)
    await original.close()
    shutil.rmtree(village.home("alice"))
    shutil.copytree(village.home("copy"), village.home("alice"))
    await copy.back()
    await restored(ears)
    again = await village.back("alice")
    assert again.device == original.device
    heard = Heard(again)
    await said(again, "@bob", "six", "seven")
    await said(again, "everyone", "and again")
    await ears.until(lambda _: texts(bob, "@alice").total() == 7 and texts(bob, "everyone").total() == 2)
    assert texts(bob, "@alice") == Counter(("one", "two", "three", "four", "five", "six", "seven"))
    assert texts(bob, "everyone") == Counter(("in between", "and again"))
    await said(bob, "@alice", "eight")
    await heard.until(lambda _: not Counter(("five", "eight")) - texts(again, "@bob"))
    assert texts(again, "@bob") == Counter(("one", "two", "three", "five", "six", "seven", "eight"))
    for each in (ears, heard):
        assert not alarms(each)
    for me in (again, bob):
        assert not me.health().undecryptable_now


async def _copied_with_a_queue(village: Village, alice: Me, text: str) -> Me:
    """A copy of alice's home in which a message is queued; and alice, who goes on and sends it."""
    port = village.port
    await village.stop()
    await alice.post("@bob", text)
    await alice.close()
    shutil.copytree(village.home("alice"), village.home("copy"))
    await village.start(port)
    return await village.back("alice")
