"""A server that is killed and restored from a copy, with real processes (issue 5, It shows 3).

`python -m tests.real.test_restored_server 1000 60` does the same with so many messages and sign-ups, and says
how long it took.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.real.programs import COMMAND, Client, Line, Server
from tests.real.test_devices import run_without_password_file

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

MESSAGES = 60
SIGN_UPS = 6
ALARMS = {"went-back", "not-in-ledger", "missing", "stuck", "reset"}


class Town:
    """A server, people, and what was said to everyone."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self.server = server
        self.alice = Client(folder / "alice", "alice")
        self.bob = Client(folder / "bob", "bob")
        self.phone = Client(folder / "phone", "bob")
        self.late: list[Client] = []
        self.texts: Counter[str] = Counter()

    def begin(self) -> None:
        self.alice.sign_up(self.server.invite)
        line = run_without_password_file(
            [*self.bob.command("signup", "bob", "--generate-passphrase", "--server", self.server.invite)],
            self.bob,
        )
        self.bob.set_password(line["passphrase"])
        self.phone.set_password(line["passphrase"])
        self.phone.ok("login", "bob", "--server", self.server.invite)
        self.say(self.alice, "before the copy")
        self.bob.waiting(1)

    def admin(self, action: str) -> Line:
        """admin backup or restore."""
        copy = str(self.folder / "server.backup")
        ended = self.alice.run_command(
            [*COMMAND, "--json", "admin", action, copy, "--data", str(self.server.data)]
        )
        assert ended.code == 0, ended.err
        return ended.line

    def say(self, who: Client, *texts: str) -> None:
        who.ok("send", "everyone", "--lines", stdin="\n".join(texts).encode())
        self.texts.update(texts)

    def live_on(self, messages: int, sign_ups: int) -> None:
        """What the copy does not have."""
        self.say(self.alice, *(f"first {n}" for n in range(messages // 2)))
        for number in range(sign_ups):
            self.late.append(Client(self.folder / f"late{number}", f"late{number}"))
            self.late[-1].sign_up(self.server.invite)
        (lost,) = (each for each in self.bob.ok("devices") if not each["this"])
        self.bob.ok("devices", "revoke", lost["id"])
        self.say(self.alice, *(f"second {n}" for n in range(messages - messages // 2)))
        for each in self.late:
            self.say(each, f"I am {each.name}")

    def lose_all(self) -> None:
        self.server.kill()
        self.admin("restore")
        self.server.start()

    def everything_came(self) -> None:
        """Once everybody who had said something has been there again."""
        with ExitStack() as online:
            lines = [online.enter_context(each.listening()) for each in (self.alice, *self.late)]
            had = self.texts - Counter(("before the copy",))
            came = self.bob.ok("listen", "--count", str(had.total()))
        assert not [line for line in came if line["event"] in ALARMS]
        assert any(line["event"] == "server-restored" for line in came)
        for running in lines:
            assert any(line["event"] == "server-restored" for line in running.said)
        assert read(self.bob) == self.texts == read(self.alice)
        later = Counter({text: count for text, count in self.texts.items() if "first" not in text})
        for each in self.late:
            with each.running("listen") as running:
                running.until(lambda line: line["event"] == "drained")
                said = running.said
            assert not [line for line in said if line["event"] in ALARMS]
            assert read(each) == later - Counter(("before the copy",))
        assert self.phone.run("send", "everyone", "from a thief").code != 0
        assert read(self.bob) == self.texts


def read(who: Client) -> Counter[str]:
    return Counter(line["text"] for line in who.ok("read", "everyone", "--limit", "100000"))


def test_everything_comes_back_and_nobody_presses_anything(tmp_path: Path, own_server: Server) -> None:
    town = Town(tmp_path, own_server)
    town.begin()
    assert town.admin("backup")["people"] == 2
    town.live_on(MESSAGES, SIGN_UPS)
    town.lose_all()
    town.everything_came()


def main(messages: int, sign_ups: int) -> None:
    """By hand, with any numbers."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "server")
        server.start()
        town = Town(Path(folder), server)
        town.begin()
        town.admin("backup")
        town.live_on(messages, sign_ups)
        begun = time.monotonic()
        town.lose_all()
        print(f"restored in {time.monotonic() - begun:.1f} s")
        town.everything_came()
        print(f"everything is back everywhere after {time.monotonic() - begun:.1f} s")
        server.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
