"""How processes end: interrupted, told to end, without a reader, beside another one."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from coterie.cli.failures import Exit
from tests.real.conftest import SignedUp
from tests.real.programs import COMMAND, Client, Server, environment

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, Exit.INTERRUPTED), (signal.SIGTERM, Exit.TERMINATED)]
)
def test_listening_ends_quietly_when_it_is_told(
    number: signal.Signals, code: Exit, signed_up: SignedUp
) -> None:
    bob = signed_up("bob")
    process = subprocess.Popen(
        bob.command("listen"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(number)
    _, complaints = process.communicate()
    assert (process.returncode, complaints) == (code, b"")
    assert bob.ok("listen", "--for", "0") == []


def test_what_nobody_reads_any_more_waits_for_the_next_listener(signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    alice.ok("send", f"@{bob.name}", "--lines", stdin=b"one\ntwo\nthree")
    read, write = os.pipe()
    process = subprocess.Popen(bob.command("listen"), stdout=write, stderr=subprocess.PIPE, env=environment())
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        while b'"one"' not in pipe.readline():
            pass
    alice.send(f"@{bob.name}", "four")
    _, complaints = process.communicate()
    assert (process.returncode, complaints) == (Exit.BROKEN_PIPE, b"")
    texts: list[str] = []
    with bob.running("listen") as listening:
        while texts[-1:] != ["four"]:
            texts.append(listening.message()["text"])
    assert texts == ["two", "three", "four"][-len(texts) :]


def test_one_server_serves_a_data_folder(own_server: Server) -> None:
    words = ("serve", "--json", "--data", str(own_server.data), "--listen", "127.0.0.1:0")
    done = subprocess.run([*COMMAND, *words], capture_output=True, env=environment(), check=False)
    assert done.returncode == Exit.UNAVAILABLE
    assert b'"error": "disk"' in done.stdout
    assert str(own_server.pid).encode() in done.stdout


def test_an_address_that_is_taken_is_told(own_server: Server, tmp_path: Path) -> None:
    words = ("serve", "--data", str(tmp_path / "other"), "--listen", own_server.listen)
    done = subprocess.run([*COMMAND, *words], capture_output=True, env=environment(), check=False)
    assert (done.returncode, done.stdout) == (Exit.UNAVAILABLE, b"")
    assert b"the address to listen on cannot be had" in done.stderr


def test_a_server_goes_on_when_nobody_reads_its_log(tmp_path: Path) -> None:
    words = ("serve", "--json", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0")
    with subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        invite = process.stdout.readline().decode().partition('"invite": "')[2].partition('"')[0]
        process.stdout.close()
        bob = Client(tmp_path / "bob", "bob")
        bob.sign_up(invite)
        bob.send("@bob", "a note")
        process.terminate()
        complaints = process.stderr.read()
    assert process.returncode == 0
    assert b"Traceback" not in complaints


def test_without_a_terminal_and_a_password_file_nobody_is_asked(signed_up: SignedUp) -> None:
    bob = signed_up("bob")
    done = subprocess.run(
        [*COMMAND, "--json", "--home", str(bob.home), "people"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment(),
        start_new_session=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (Exit.USAGE, b"")
    assert b"--password-file" in done.stdout


def test_a_password_comes_by_standard_input(signed_up: SignedUp) -> None:
    bob = signed_up("bob")
    command = [*COMMAND, "--json", "--home", str(bob.home), "--password-file", "-", "devices"]
    password = bob.password_file.read_bytes()
    assert bob.run_command(command, password).code == Exit.DONE
    assert bob.run_command(command, b"wrong" + password).line["error"] == "wrong-credentials"


def test_a_person_is_asked_for_the_password_without_an_echo(server: Server, tmp_path: Path) -> None:
    """A new session whose first process opens a terminal is that terminal's."""
    master, slave = os.openpty()
    words = ("--home", str(tmp_path / "home"), "signup", "bob.of.terminal", "--server", server.invite)
    process = subprocess.Popen(
        ["sh", "-c", 'exec "$@" <"$0" >"$0" 2>&1', os.ttyname(slave), *COMMAND, *words],
        env=environment(),
        start_new_session=True,
    )
    shown = b""
    password = secrets.token_urlsafe(20).encode()
    for question in (b"Password: ", b"Password (again): "):
        while question not in shown:
            shown += os.read(master, 1024)
        os.write(master, password + b"\n")
    os.close(slave)
    with suppress(OSError):
        while chunk := os.read(master, 1024):
            shown += chunk
    os.close(master)
    assert process.wait() == 0
    assert b"Your recovery key" in shown
    assert password not in shown
