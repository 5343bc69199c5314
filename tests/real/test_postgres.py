"""A server whose data lies in PostgreSQL, and the people on it."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from coterie.trials.engines.postgres import Engine, database
from tests.real.programs import COMMAND, Client, Ended, Server, environment
from tests.real.test_approval import typing

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 30


@pytest.fixture
def on_postgres(tmp_path: Path, postgres_database: str) -> Iterator[Server]:
    server = Server(tmp_path / "server")
    server.start("--database", postgres_database)
    yield server
    server.stop()


def person(server: Server, home: Path) -> Client:
    client = Client(home, home.name)
    client.sign_up(server.invite)
    return client


def test_two_people_talk_and_everything_outlives_the_server(
    on_postgres: Server, postgres_database: str, tmp_path: Path
) -> None:
    alice, bob = (person(on_postgres, tmp_path / name) for name in ("alice", "bob"))
    with bob.listening() as listening:
        alice.send("@bob", "hello")
        assert listening.message()["text"] == "hello"
    bob.send("@alice", "and to you")
    alice.send("everyone", "is anybody there?")
    on_postgres.kill()
    on_postgres.start("--database", postgres_database)
    assert [line["text"] for line in alice.waiting(1)] == ["and to you"]
    assert [line["text"] for line in bob.waiting(1)] == ["is anybody there?"]
    assert not (on_postgres.data / "server.db").exists()


def test_a_server_goes_on_when_its_database_was_away(
    on_postgres: Server, postgres_engine: Engine, tmp_path: Path
) -> None:
    """What was under way is asked for again: nothing is missing, nothing there twice."""
    alice, bob = (person(on_postgres, tmp_path / name) for name in ("alice", "bob"))
    with bob.listening() as listening:
        alice.send("@bob", "before")
        assert listening.message()["text"] == "before"
        postgres_engine.stop()
        postgres_engine.start()
        alice.send("@bob", "after")
        assert listening.message()["text"] == "after"
    assert "nothing can be committed" in on_postgres.log.read_text()
    assert [line["text"] for line in bob.ok("read", "@alice")] == ["before", "after"]


def test_a_server_whose_database_is_lost_again_while_it_comes_back_goes_on(
    on_postgres: Server, postgres_database: str, tmp_path: Path
) -> None:
    """It reads everything anew, and in the middle of that the lines break another time."""
    alice = person(on_postgres, tmp_path / "alice")

    async def meanwhile() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.to_thread(alice.send, "everyone", "still here"))
            group.create_task(lost_until_told(postgres_database, on_postgres.log))

    asyncio.run(meanwhile())


async def lost_until_told(url: str, log: Path) -> None:
    """Each line that waits for what a life begins with is cut off, as all of them are at first."""
    lines = "FROM pg_stat_activity WHERE application_name = 'coterie' AND datname = current_database()"
    waiting = f"{lines} AND wait_event_type = 'Lock'"
    operator, watching = await asyncpg.connect(url), await asyncpg.connect(url)
    async with asyncio.timeout(PATIENCE_SECONDS), operator.transaction():
        await operator.execute("LOCK TABLE facts IN ACCESS EXCLUSIVE MODE")
        await watching.execute(f"SELECT pg_terminate_backend(pid) {lines}")
        while "lost once more" not in log.read_text():
            await watching.execute(f"SELECT pg_terminate_backend(pid), pg_sleep(0.01) {waiting}")
    await operator.close()
    await watching.close()


def test_a_server_does_not_begin_a_second_time_in_another_place(
    on_postgres: Server, postgres_database: str, tmp_path: Path
) -> None:
    on_postgres.stop()
    assert "lies in PostgreSQL" in refusal("--data", str(on_postgres.data))
    elsewhere = Server(tmp_path / "elsewhere")
    elsewhere.start()
    elsewhere.stop()
    assert "itself" in refusal("--data", str(elsewhere.data), "--database", postgres_database)


def test_a_server_moves_from_its_file_to_a_postgresql(postgres_database: str, tmp_path: Path) -> None:
    moving = Server(tmp_path / "moving")
    moving.start()
    alice, bob = (person(moving, tmp_path / name) for name in ("alice", "bob"))
    alice.send("@bob", "before")
    copy = ["admin", "copy", "--data", str(moving.data), "--database", postgres_database]
    assert "serves this data folder" in alice.run_command([*COMMAND, *copy, "--json"]).line["message"]
    moving.stop()
    assert alice.run_command([*COMMAND, *copy, "--json"]).line["rows"] > 10
    assert "lies in PostgreSQL" in refusal("--data", str(moving.data))
    moving.start("--database", postgres_database)
    try:
        assert [line["text"] for line in bob.waiting(1)] == ["before"]
        bob.send("@alice", "after")
        assert [line["text"] for line in alice.waiting(1)] == ["after"]
        assert [line["text"] for line in alice.ok("read", "@bob")] == ["before", "after"]
    finally:
        moving.stop()


def test_its_operator_sees_and_rules_it_there(
    on_postgres: Server, postgres_database: str, postgres_engine: Engine, tmp_path: Path
) -> None:
    alice = person(on_postgres, tmp_path / "alice")
    where = ["--data", str(on_postgres.data), "--database", postgres_database]

    def admin(*words: str) -> Ended:
        return alice.run_command([*COMMAND, "admin", *words, *where, "--json"])

    seen = admin("sees", "alice").lines
    accounts = [line["row"] for line in seen if line["table"] == "accounts"]
    assert [row["name"] for row in accounts] == ["alice"]
    assert {"devices", "manifests", "verifiers", "one_time_keys"} <= {line["table"] for line in seen}
    assert admin("sees", "nobody").line["error"] == "unknown-person"
    assert admin("speaker", "alice").line == {"speaker": "alice", "speaks": True}
    assert [line["table"] for line in admin("sees", "alice").lines if line["table"] == "speakers"]
    assert admin("reset", "alice").line["reset"] == "alice"
    assert admin("rotate-identity").line["error"] == "disk"
    on_postgres.stop()
    assert len(bytes.fromhex(admin("rotate-identity").line["identity"])) == 32
    on_postgres.start("--database", postgres_database)
    alice.send("everyone", "still here")
    where[1] = str(tmp_path / "nothing")
    assert admin("rotate-identity").line["message"] == "there is no server in this folder"
    with database(postgres_engine) as empty:
        where[-1] = empty
        assert "no server in this database" in admin("sees", "alice").line["message"]
        assert "no server in this database" in admin("speaker", "alice").line["message"]


def test_a_database_that_was_put_back_from_a_copy_begins_another_life(
    on_postgres: Server, postgres_database: str, postgres_engine: Engine, tmp_path: Path
) -> None:
    """By what the manual says: pg_dump, pg_restore, admin restore. What came after the copy comes back."""
    alice, bob = (person(on_postgres, tmp_path / name) for name in ("alice", "bob"))
    alice.send("everyone", "before the copy")
    name = postgres_database.rpartition("@/")[2].partition("?")[0]
    copy = postgres_engine.copy_of(name)
    carol = person(on_postgres, tmp_path / "carol")
    alice.send("everyone", "after the copy")

    def admin(*words: str) -> Ended:
        return alice.run_command([*COMMAND, "admin", *words, "--json"])

    assert "pg_basebackup" in admin("backup", "--database", postgres_database).line["message"]
    assert admin("check", "--database", postgres_database).line == {"sound": True}
    assert admin("restore", "--database", postgres_database).line["error"] == "profile-in-use"
    on_postgres.stop()
    postgres_engine.put_back(copy, back := f"{name}_back")
    try:
        url = postgres_engine.url(back)
        assert admin("restore", "--database", url).line["people"] == 2
        on_postgres.start("--database", url)
        with alice.listening() as alices, carol.listening() as carols:
            came = bob.ok("listen", "--count", "2")
            for said in (alices.said, carols.said, came):
                assert any(line["event"] == "server-restored" for line in said)
        texts = [line["text"] for line in came if line["event"] == "message"]
        assert texts == ["before the copy", "after the copy"]
        carol.send("@bob", "still here")
        assert [line["text"] for line in bob.waiting(1)] == ["still here"]
        on_postgres.stop()
        assert admin("restore", "--database", url).line["error"] == "too-many-tries"
    finally:
        on_postgres.stop()
        postgres_engine.psql(f"DROP DATABASE {back} WITH (FORCE)")


def test_a_device_joins_at_another_server_than_the_one_that_admits_it(
    on_postgres: Server, postgres_database: str, tmp_path: Path
) -> None:
    alice, second = Client(tmp_path / "alice", "alice"), Client(tmp_path / "second", "alice")
    alice.sign_up(on_postgres.invite)
    other = Server(tmp_path / "other")
    other.start("--database", postgres_database)
    try:
        with typing(second, "login", "alice", "--server", other.invite, "--approve") as new:
            code = new.approval("asked")["code"]
            lines = alice.ok("devices", "approve", "--code", code)
            (account,) = [line for line in new.rest() if "device_id" in line]
            assert new.process.returncode == 0
        assert lines[-1]["id"] == account["device_id"]
    finally:
        other.stop()


def refusal(*options: str) -> str:
    """What `coterie serve` says instead of serving."""
    done = subprocess.run(
        [*COMMAND, "serve", "--json", "--listen", "127.0.0.1:0", *options],
        capture_output=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert done.returncode
    return str(json.loads(done.stdout.splitlines()[-1])["message"])
