"""Exit codes and what is said, of commands that end before they need a server."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coterie.base.codes import Code
from coterie.base.errors import (
    CoterieError,
    LocalError,
    Refused,
    RemoteError,
    SealBroken,
    SecurityStop,
    Unavailable,
)
from coterie.cli.failures import Exit, exit_of, report, sentence
from coterie.cli.main import main
from coterie.cli.output import Output
from coterie.e2ee.recovery import is_passphrase


@pytest.fixture(autouse=True)
def logging_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """main() sets up logging for the process; and nothing of ours may come from the environment."""
    for name in ("COTERIE_HOME", "COTERIE_PASSWORD_FILE", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers, root.level = handlers, level


def test_usage_is_said_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["send"]) == Exit.USAGE
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("usage: coterie send ")
    assert "[usage]" in said.err


@pytest.mark.parametrize("words", [["--json", "send"], ["send", "--json"], ["nonsense", "--json"]])
def test_usage_is_an_object_in_json(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == Exit.USAGE
    said = capsys.readouterr()
    assert json.loads(said.out)["error"] == "usage"
    assert said.err == ""


def test_a_home_without_a_profile_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--home", str(tmp_path), "--json", "people"]) == Exit.REFUSED
    assert json.loads(capsys.readouterr().out) == {
        "error": "no-profile",
        "message": sentence(Code.NO_PROFILE),
    }
    assert list(tmp_path.iterdir()) == []


def test_the_home_is_taken_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "profiles").write_text("no folder")
    monkeypatch.setenv("COTERIE_HOME", str(tmp_path))
    assert main(["people", "--json"]) == Exit.UNAVAILABLE
    assert json.loads(capsys.readouterr().out)["error"] == "disk"


def test_what_is_not_there_yet_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--terminal"]) == Exit.USAGE
    assert "not there yet" in capsys.readouterr().err


def test_without_a_display_the_app_says_what_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert main([]) == Exit.UNAVAILABLE
    assert "no display" in capsys.readouterr().err


@pytest.mark.parametrize(
    "server", ["nonsense", "coterie://127.0.0.1:1/#v1.00", "127.0.0.1:99999", "127.0.0.1"]
)
def test_what_is_no_server_is_usage(server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    password = tmp_path / "password"
    password.write_text("correct horse battery staple\n")
    words = ["--home", str(tmp_path), "--json", "--password-file", str(password)]
    assert main([*words, "signup", "bob", "--server", server]) == Exit.USAGE
    assert json.loads(capsys.readouterr().out)["error"] == "usage"


@pytest.mark.parametrize(
    ("name", "password", "code"),
    [
        ("everyone", "correct horse battery staple", "bad-name"),
        ("bob smith", "correct horse battery staple", "bad-name"),
        ("bob", "hunter2", "weak-password"),
    ],
)
def test_bad_names_and_weak_passwords_never_reach_a_server(
    name: str, password: str, code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "password"
    file.write_text(password + "\n")
    words = ["--home", str(tmp_path), "--json", "--password-file", str(file)]
    assert main([*words, "signup", name, "--server", "127.0.0.1:1"]) == Exit.REFUSED
    assert json.loads(capsys.readouterr().out)["error"] == code


def test_an_unreachable_server_is_unavailable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--home", str(tmp_path), "--json", "signup", "bob", "--generate-passphrase"]
    assert main([*words, "--server", "127.0.0.1:1"]) == Exit.UNAVAILABLE
    assert json.loads(capsys.readouterr().out)["error"] == "unreachable"


def test_a_passphrase_is_shown_before_anything_can_go_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--home", str(tmp_path), "signup", "bob", "--generate-passphrase"]
    assert main([*words, "--server", "127.0.0.1:1"]) == Exit.UNAVAILABLE
    assert any(is_passphrase(line.strip()) for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize("listen", ["4433", ":1", "127.0.0.1:x", "127.0.0.1:70000", "127.0.0.1:-1", "::1:"])
def test_serve_wants_a_host_and_a_port(
    listen: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--json", "--data", str(tmp_path / "new"), "--listen", listen]) == Exit.USAGE
    assert json.loads(capsys.readouterr().out)["error"] == "usage"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("words", [["--workers", "2"], ["--wakeups", "nats://localhost"]])
def test_a_file_has_one_server(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--json", "--data", str(tmp_path / "new"), *words]) == Exit.USAGE
    assert "--database" in json.loads(capsys.readouterr().out)["message"]
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused(Code.NAME_TAKEN), Exit.REFUSED),
        (Refused(Code.USAGE), Exit.USAGE),
        (LocalError(Code.USAGE), Exit.USAGE),
        (LocalError(Code.BUSY), Exit.REFUSED),
        (Unavailable(Code.UNREACHABLE), Exit.UNAVAILABLE),
        (RemoteError(Code.BAD_FRAME), Exit.UNAVAILABLE),
        (SealBroken(), Exit.SECURITY_STOP),
        (SecurityStop(Code.IDENTITY_CHANGED), Exit.SECURITY_STOP),
        (SecurityStop(Code.LEDGER_SPLIT), Exit.SECURITY_STOP),
        (ZeroDivisionError(), Exit.REFUSED),
    ],
)
def test_who_is_to_blame_decides_the_exit_code(error: Exception, code: Exit) -> None:
    assert exit_of(error) is code


@pytest.mark.parametrize("code", Code)
def test_every_code_has_a_sentence(code: Code) -> None:
    assert len(sentence(code)) > 10


def test_a_bug_is_one_sentence_without_what_was_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(ValueError("the secret"), Output(as_json=False), verbose=False) == Exit.REFUSED
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "secret" not in said.err
    report(ValueError("the secret"), Output(as_json=True), verbose=False)
    assert json.loads(capsys.readouterr().out)["error"] == "unexpected"


def test_verbose_says_where_it_happened(capsys: pytest.CaptureFixture[str]) -> None:
    report(CoterieError(Code.DISK, "full"), Output(as_json=False), verbose=True)
    assert "CoterieError: disk: full" in capsys.readouterr().err


def test_nobody_reading_is_no_trouble() -> None:
    """As in a pipe to `head` that has ended."""
    read, write = os.pipe()
    os.close(read)
    words = [sys.executable, "-m", "coterie.cli", "--json", "nonsense"]
    done = subprocess.run(words, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (Exit.BROKEN_PIPE, b"")
