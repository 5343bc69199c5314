"""The database's primary dies under two servers and the people on them, and its standby takes over."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from coterie.base.clock import SystemClock
from coterie.trials.engines.postgres import PORT, Engine, pair
from tests.real.programs import Client, Server
from tests.real.test_workers import person, speaking

pytestmark = pytest.mark.slow

MESSAGES = 1000
"""So many that most of them are still to be said when the primary dies."""
clock = SystemClock()


@pytest.fixture
def engines(postgres_engine: Engine) -> Iterator[tuple[Engine, Engine]]:
    with pair(postgres_engine.programs) as both:
        yield both


@pytest.fixture
def servers(tmp_path: Path, engines: tuple[Engine, Engine]) -> Iterator[tuple[Server, Server]]:
    """Two with a folder and a port of their own, who know both places of the database."""
    folders = ",".join(str(engine.folder) for engine in engines)
    url = f"postgresql://postgres@/postgres?host={folders}&port={PORT},{PORT}"
    started = (Server(tmp_path / "one"), Server(tmp_path / "other"))
    for server in started:
        server.start("--database", url)
    yield started
    for server in started:
        server.stop()


def test_nothing_acknowledged_is_lost_when_the_standby_takes_over_under_two_servers(
    servers: tuple[Server, Server], engines: tuple[Engine, Engine], tmp_path: Path
) -> None:
    """kill -9 of the primary while somebody at one server speaks to somebody at the other."""
    (one, other), (primary, standby) = servers, engines
    alice, bob = person(one, tmp_path / "alice"), person(other, tmp_path / "bob")
    texts = [f"message {number}" for number in range(MESSAGES)]
    with bob.listening() as listening, speaking(alice, texts) as speaker:
        got = [line["text"] for line in listening.messages(MESSAGES // 20)]
        primary.kill()
        standby.psql("SELECT pg_promote()")
        heard_at = [clock.monotonic_seconds()]
        while len(got) < MESSAGES:
            got.append(listening.message()["text"])
            heard_at.append(clock.monotonic_seconds())
        assert speaker.wait(60) == 0, "all of them were acknowledged"
    outage = max(after - before for before, after in itertools.pairwise(heard_at))
    print(f"\noutage {outage:.2f} s from the promotion to the next message, or between two of them")
    assert got == texts
    assert read_by(bob, "@alice") == texts
    assert read_by(alice, "@bob") == texts
    assert [server.log.read_text().count("serving on port") for server in servers] == [2, 2], "both went on"


def test_who_is_told_to_stop_when_the_database_has_just_died_stops(
    servers: tuple[Server, Server], engines: tuple[Engine, Engine], tmp_path: Path
) -> None:
    """Its last turn has something to write down, and finds that the database is gone: no further life begins
    that would wait for it."""
    server, primary = servers[0], engines[0]
    alice, bob = person(server, tmp_path / "alice"), person(server, tmp_path / "bob")
    with bob.listening() as listening:
        alice.ok("send", "@bob", "hello")
        assert listening.message()["text"] == "hello"
        primary.kill()
        assert server.stop() == 0
    assert "nothing can be committed" in server.log.read_text()


def read_by(client: Client, target: str) -> list[str]:
    return [line["text"] for line in client.ok("read", target, "--limit", str(2 * MESSAGES))]
