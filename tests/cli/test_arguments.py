"""What the command line takes, and what it refuses before anything is loaded."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from coterie.base.version import VERSION
from coterie.cli.arguments import Arguments, parse
from coterie.cli.parser import UsageError

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "words",
    [
        ["--json", "--home", "somewhere", "--profile", "bob", "-v", "people"],
        ["people", "--json", "--home", "somewhere", "--profile", "bob", "-v"],
        ["--json", "people", "--profile", "bob", "--home", "somewhere", "-v"],
    ],
)
def test_global_options_stand_before_or_after_the_command(words: list[str]) -> None:
    given = parse(words)
    assert (given.command, given.json, given.home, given.profile, given.verbose) == (
        "people",
        True,
        Path("somewhere"),
        "bob",
        True,
    )


def test_what_is_not_given_has_its_default() -> None:
    given = parse([])
    defaults = Arguments()
    for name in Arguments.__annotations__:
        assert getattr(given, name) == getattr(defaults, name)


def test_a_command_line_becomes_a_send() -> None:
    given = parse(["send", "@bob", "hi there", "--timeout", "2.5"])
    assert (given.target, given.text, given.lines, given.timeout_seconds) == ("@bob", "hi there", False, 2.5)


@pytest.mark.parametrize("text", ["-x", "--json"])
def test_after_two_dashes_everything_is_text(text: str) -> None:
    given = parse(["send", "@bob", "--", text])
    assert (given.text, given.json) == (text, False)


def test_a_text_may_begin_with_an_at_sign() -> None:
    assert parse(["send", "everyone", "@bob hi"]).text == "@bob hi"
    assert parse(["send", "@bob hi"]).text is None


def test_sign_up_is_open_closed_or_left_to_the_server() -> None:
    assert parse(["serve"]).open_sign_up is None
    assert parse(["serve", "--open-signup"]).open_sign_up is True
    assert parse(["serve", "--invite-only"]).open_sign_up is False


def test_devices_are_listed_or_changed() -> None:
    assert parse(["devices"]).action == ""
    for action in ("confirm", "deny", "revoke"):
        given = parse(["devices", action, "64"])
        assert (given.action, given.device_id, given.lost) == (action, "64", False)
    assert parse(["devices", "revoke", "64", "--lost"]).lost
    given = parse(["devices", "rename", "64", "kitchen", "--recovery-key-file", "f"])
    assert (given.device_id, given.new_name, given.recovery_key_file) == ("64", "kitchen", "f")


@pytest.mark.parametrize(
    "words",
    [
        ["no-such-command"],
        ["send"],
        ["send", "@bob", "hi", "too much"],
        ["send", "@bob", "hi", "--lines"],
        ["send", "@bob", "-", "--password-file", "-"],
        ["send", "@bob", "--lines", "--password-file", "-"],
        ["send", "@bob", "hi", "--timeout", "-1"],
        ["send", "@bob", "hi", "--timeout", "inf"],
        ["send", "@bob", "hi", "--timeout", "nan"],
        ["listen", "--count", "x"],
        ["listen", "--count", "-1"],
        ["signup", "bob"],
        ["signup", "--server", "127.0.0.1:1"],
        ["signup", "bob", "--server", "127.0.0.1:1", "--generate-passphrase", "--password-file", "f"],
        ["signup", "bob", "--server", "127.0.0.1:1", "--generate-passphrase", "--wrap-with-password"],
        ["login", "bob", "--server", "127.0.0.1:1", "--recovery-key-file", "-", "--password-file", "-"],
        ["serve", "--cert", "f"],
        ["serve", "--open-signup", "--invite-only"],
        ["serve", "--database", "postgres://"],
        ["serve", "--database", "mysql://host/name"],
        ["admin", "copy"],
        ["serve", "--wakeups", "nats://"],
        ["serve", "--wakeups", "nats://localhost,http://localhost"],
        ["serve", "--workers", "0"],
        ["serve", "--blobs", "x"],
        ["search"],
        ["search", ""],
        ["search", " ", "\t"],
        ["search", "x", "--limit", "-1"],
        ["devices", "confirm"],
        ["devices", "revoke"],
        ["devices", "rename", "x"],
        ["devices", "confirm", "x", "--lost"],
        ["devices", "deny", "x", "--recovery-key-file", "-", "--password-file", "-"],
        ["--desktop", "--terminal"],
        ["--terminal", "people"],
        ["people", "--password", "secret"],
        ["send", "@bob", "hi", "--time", "3"],
    ],
)
def test_what_makes_no_sense_is_refused(words: list[str]) -> None:
    with pytest.raises(UsageError):
        parse(words)


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    with pytest.raises(SystemExit) as end:
        parse(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"coterie {project['version']}\n" == f"coterie {VERSION}\n"


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["send", "--help"]])
def test_help_loads_neither_client_nor_server(words: list[str]) -> None:
    program = (
        "import sys\n"
        "from coterie.cli.main import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "finally:\n"
        "    loaded = {'msgspec', 'asyncio', 'coterie.client', 'coterie.server', 'coterie.base.codes'}\n"
        "    assert not loaded & set(sys.modules), loaded & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout
