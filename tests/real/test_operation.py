"""Running a server: what a real process tells of itself under a little traffic, and whether it is ready."""

from __future__ import annotations

import http.client
import json
import os
import re
import resource
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from coterie.base.clock import SystemClock
from coterie.cli.failures import Exit
from tests.real.conftest import StartServer
from tests.real.programs import COMMAND, Client, Server, environment
from tests.server.prometheus import Scrape

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WAIT_SECONDS = 30.0
KEYS = {"log", "logger", "message", "time", "trace"}
"""Of a log record."""


def ask(server: Server, path: str) -> tuple[int, str]:
    """Status and content."""
    host, _, port = server.metrics.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=WAIT_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def scrape(server: Server) -> Scrape:
    status, page = ask(server, "/metrics")
    assert status == 200
    return Scrape(page)


def test_a_real_server_counts_what_people_say(own_server: Server, tmp_path: Path) -> None:
    alice, bob = Client(tmp_path / "a", "alice"), Client(tmp_path / "b", "bob")
    for each in (alice, bob):
        each.sign_up(own_server.invite)
    before = scrape(own_server)
    for number in range(3):
        alice.send("@bob", f"hello {number}")
    after = scrape(own_server)
    assert after["coterie_messages_total"] == before["coterie_messages_total"] + 3
    assert after.of("coterie_frames_total", 'frame="Send"') == 3
    assert after["coterie_accepted_seconds_count"] == 3
    assert 0 < after["coterie_accepted_seconds_sum"] < WAIT_SECONDS
    assert after["coterie_commit_seconds_sum"] > before["coterie_commit_seconds_sum"]
    assert after["coterie_received_bytes_total"] > before["coterie_received_bytes_total"]
    assert after["coterie_disk_free_bytes"] > 0
    assert after.of("coterie_database_bytes", 'file="database"') > 0
    if sys.platform == "linux":
        assert after["process_open_fds"] > 3
        assert after["process_resident_memory_bytes"] > 1 << 20
    _, page = ask(own_server, "/metrics")
    assert "alice" not in page
    assert "hello" not in page


def test_a_server_whose_disk_is_full_is_not_ready_and_is_again_once_there_is_room(own_server: Server) -> None:
    assert ask(own_server, "/readyz") == (200, "ready\n")
    limits = resource.prlimit(own_server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(own_server.pid, resource.RLIMIT_FSIZE, (4096, limits[1]))
    status, reason = until(own_server, 503)
    assert status == 503
    assert "disk" in reason
    assert ask(own_server, "/healthz") == (200, "ok\n")
    assert scrape(own_server)["coterie_failed_turns_total"] > 0
    resource.prlimit(own_server.pid, resource.RLIMIT_FSIZE, limits)
    assert until(own_server, 200) == (200, "ready\n")


def until(server: Server, status: int) -> tuple[int, str]:
    """The answer of /readyz once it has that status: what was found a moment ago serves for a second."""
    clock = SystemClock()
    end = clock.monotonic_seconds() + WAIT_SECONDS
    while (answer := ask(server, "/readyz"))[0] != status:
        assert clock.monotonic_seconds() < end, answer
    return answer


def test_logs_are_one_json_object_a_line_and_name_nobody(tmp_path: Path) -> None:
    read, write = os.pipe()
    words = ("--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0", "--log-format", "json", "-v")
    process = subprocess.Popen(
        [*COMMAND, "serve", *words, "--metrics", "off", "--ready-fd", str(write)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=[write],
        env=environment(),
    )
    try:
        os.close(write)
        with os.fdopen(read, "rb") as ready:
            said = json.loads(ready.readline())
        assert said["metrics"] == ""
        alice = Client(tmp_path / "alice", "alice")
        signed_up = alice.sign_up(said["invite"])
        alice.send("@alice", "something typed")
        limits = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, limits[1]))
        assert alice.run("send", "@alice", "something else", "--timeout", "1").code != 0
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limits)
    finally:
        process.send_signal(signal.SIGTERM)
        _, lines = process.communicate(timeout=WAIT_SECONDS)
    records = [json.loads(line) for line in lines.splitlines()]
    assert all({"log", "logger", "message", "time"} <= record.keys() <= KEYS for record in records)
    messages = [record["message"] for record in records]
    assert messages[0].startswith("serving on port")
    assert messages[-1] == "stopped"
    assert any(record["log"] == "critical" for record in records)
    for word in ("alice", "something", signed_up["account_id"], signed_up["device_id"]):
        assert word not in lines.decode()


@pytest.mark.parametrize("place", ["9464", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x", "on"])
def test_a_place_that_is_none_is_said_before_anything_begins(place: str, tmp_path: Path) -> None:
    words = [*COMMAND, "serve", "--data", str(tmp_path / "data"), "--metrics", place]
    done = subprocess.run(words, capture_output=True, env=environment(), timeout=WAIT_SECONDS, check=False)
    assert done.returncode == Exit.USAGE
    assert b"--metrics takes HOST:PORT" in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_port_that_is_taken_is_said_in_one_sentence(own_server: Server, tmp_path: Path) -> None:
    where = ("--listen", "127.0.0.1:0", "--metrics", own_server.metrics)
    words = [*COMMAND, "serve", "--data", str(tmp_path / "data"), *where]
    done = subprocess.run(words, capture_output=True, env=environment(), timeout=WAIT_SECONDS, check=False)
    assert done.returncode == Exit.UNAVAILABLE
    assert b"the address to listen on cannot be had (EADDRINUSE)" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_server_may_tell_nothing(start_server: StartServer) -> None:
    assert start_server("--metrics", "off").metrics == ""


def test_the_line_of_the_unit_serves_and_keeps_the_invite_out_of_the_journal(tmp_path: Path) -> None:
    unit = (ROOT / "deploy" / "coterie.service").read_text(encoding="utf-8")
    shell, flag, line = shlex.split(re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)[0])
    read, write = os.pipe()
    here = {
        "/opt/coterie/bin/coterie": shlex.join(COMMAND),
        "/var/lib/coterie": str(tmp_path / "data"),
        "/run/coterie": str(tmp_path),
        "0.0.0.0:4433": "127.0.0.1:0",
        "127.0.0.1:9464": "127.0.0.1:0",
        "--invite-only": f"--invite-only --ready-fd {write}",
    }
    for there, instead in here.items():
        assert there in line
        line = line.replace(there, instead)
    process = subprocess.Popen(
        [shell, flag, line],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=[write],
        env=environment(),
        umask=0o077,
    )
    os.close(write)
    with os.fdopen(read, "rb") as ready:
        invite = json.loads(ready.readline())["invite"]
    process.send_signal(signal.SIGTERM)
    journal = b"".join(process.communicate(timeout=WAIT_SECONDS)).decode()
    assert process.returncode == 0
    assert invite in (tmp_path / "invite").read_text()
    assert (tmp_path / "invite").stat().st_mode & 0o777 == 0o600
    assert "serving on port" in journal
    assert "coterie://" not in journal
