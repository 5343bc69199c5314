"""What a server is told by its file, the environment and its command line, and which of them counts."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from coterie.cli.arguments import Arguments, parse
from coterie.cli.commands.serve import _settings, data_folder
from coterie.cli.configuration import FILE, SETTINGS, Said, configure, template, write_template
from coterie.cli.failures import Exit
from coterie.cli.main import main
from coterie.cli.parser import UsageError
from coterie.server.settings import ServerSettings

URL = "postgresql://coterie:hidden@/coterie"


def told(
    folder: Path, file: str = "", environment: dict[str, str] | None = None, *options: str
) -> tuple[Arguments, list[Said]]:
    folder.mkdir(exist_ok=True)
    (folder / FILE).write_text(file)
    given = parse(["serve", "--data", str(folder), *options])
    return given, configure(given, environment or {}, data_folder)


def test_an_option_counts_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    file = '[server]\nlisten = "1.1.1.1:1"\nsign_up = "open"\n'
    file += '[metrics]\nlisten = "off"\n[log]\nformat = "json"\n'
    environment = {"COTERIE_SERVER__LISTEN": "2.2.2.2:2", "COTERIE_LOG__FORMAT": "text", "COTERIE_HOME": "x"}
    given, said = told(tmp_path, file, environment, "--listen", "3.3.3.3:3", "--invite-only")
    assert (given.listen, given.open_sign_up, given.metrics, given.log_format) == (
        *("3.3.3.3:3", False, "off", "text"),
    )
    assert {each.name: (each.value, each.where) for each in said} == {
        "server.data": (str(tmp_path), "option"),
        "server.listen": ("3.3.3.3:3", "option"),
        "server.sign_up": ("invite", "option"),
        "log.format": ("text", "environment"),
        "metrics.listen": ("off", "file"),
    }
    settings = _settings(given)
    assert (settings.host, settings.port, settings.metrics_port, settings.open_signup) == (
        *("3.3.3.3", 3, None, False),
    )


def test_the_environment_says_where_the_file_lies(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('[server]\nlisten = "1.1.1.1:1"\n')
    given = parse(["serve"])
    configure(given, {"COTERIE_SERVER__DATA": str(tmp_path)}, data_folder)
    assert (given.data, given.listen) == (tmp_path, "1.1.1.1:1")


def test_every_setting_comes_from_either_as_from_its_option(tmp_path: Path) -> None:
    """Nothing is left out: what a whole file says is what the same options say."""
    whole = "\n".join(line.removeprefix("# ") for line in template().splitlines()[2:])
    sections = tomllib.loads(whole)
    assert {f"{of}.{key}" for of in sections for key in sections[of]} == {
        each.name for each in SETTINGS if each.in_file
    }
    by_file, _ = told(tmp_path, whole)
    words = {
        each.variable: str(tomllib.loads(f"x = {each.example}")["x"]).replace("False", "false")
        for each in SETTINGS
        if each.in_file
    }
    by_environment, _ = told(tmp_path, "", words)
    options = [
        "--listen",
        "127.0.0.1:4433",
        "--cert",
        "/etc/coterie/chain.pem",
        "--key",
        "/etc/coterie/key.pem",
    ]
    options += [
        "--keep-days",
        "30",
        "--invite-only",
        "--workers",
        "1",
        "--database",
        "postgresql:///coterie",
        "--metrics",
    ]
    options += ["127.0.0.1:0", "--blobs", "s3://bucket/prefix", "--wakeups", "nats://127.0.0.1:4222"]
    by_options, _ = told(tmp_path, "", None, *options, "--log-format", "text")
    by_file.verbose = by_environment.verbose = by_options.verbose = False
    assert vars(by_file) == vars(by_environment) == vars(by_options)
    assert _settings(by_file) != ServerSettings(data=tmp_path)


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (
            '[server]\nlisten = "a:1"\nlistne = "a:1"\n',
            "server.listne is no setting: did you mean server.listen?",
        ),
        ('[sever]\nlisten = "a:1"\n', "sever.listen is no setting: did you mean"),
        ('listen = "a:1"\n', "listen stands in no section: did you mean server.listen?"),
        ("[server]\nworkers = true\n", "server.workers takes a number"),
        ("[server]\nlisten = 4433\n", "server.listen takes a text in quotes"),
        ("[server]\nworkers = 0\n", "server.workers cannot be read"),
        ("[server]\nkeep_days = 29\n", "server.keep_days cannot be read"),
        ("[server]\nkeep_days = 3651\n", "server.keep_days cannot be read"),
        ('[server]\nsign_up = "closed"\n', "server.sign_up cannot be read: who may sign up: open, or invite"),
        ('[server]\ndata = "/srv"\n', "say --data, or COTERIE_SERVER__DATA"),
        ('[server]\ncert = "chain.pem"\n', "server.cert and server.key belong together"),
        ('[log]\nverbose = "yes"\n', "log.verbose takes true or false"),
        ('[server]\nlisten = "a:1\n', "is not TOML"),
        ("[server]\n[server]\n", "line 2"),
        ("#" * 70_000, "is too large"),
        (f'[database]\nurl = "mysql{URL}"\n', "database.url cannot be read"),
    ],
)
def test_what_is_wrong_is_named_and_not_repeated(tmp_path: Path, file: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        told(tmp_path, file)
    assert says in caught.value.hint
    assert "hidden" not in caught.value.hint


@pytest.mark.parametrize(
    ("variable", "text", "says"),
    [
        ("COTERIE_SERVER__LISTNE", "a:1", "did you mean COTERIE_SERVER__LISTEN?"),
        ("COTERIE_SERVER__LISTEN", "", "COTERIE_SERVER__LISTEN cannot be read"),
        ("COTERIE_DATABASE__URL", f"x{URL}", "COTERIE_DATABASE__URL cannot be read"),
    ],
)
def test_so_it_is_in_the_environment(tmp_path: Path, variable: str, text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        told(tmp_path, "", {variable: text})
    assert says in caught.value.hint
    assert "hidden" not in caught.value.hint


def test_what_is_wrong_is_refused_though_something_else_counts(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="workers"):
        told(tmp_path, "[server]\nworkers = -1\n", None, "--workers", "2")


def test_a_fresh_file_says_nothing_and_is_the_owner_s(tmp_path: Path) -> None:
    write_template(tmp_path / "new")
    file = tmp_path / "new" / FILE
    assert tomllib.loads(file.read_text()) == {}
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    file.write_text('[log]\nformat = "json"\n')
    write_template(tmp_path / "new")
    assert "json" in file.read_text()
    write_template(file)


def test_what_it_comes_to_is_shown_without_passwords(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COTERIE_METRICS__LISTEN", "off")
    (tmp_path / FILE).write_text(
        f'[database]\nurl = "{URL}?host=/run&password=hidden"\n[wakeups]\nurl = "nats://a:hidden@127.0.0.1"\n'
    )
    check = ["serve", "--check-config", "--data", str(tmp_path)]
    assert main([*check, "--json"]) == Exit.DONE
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["setting"]: line["value"] for line in lines} == {
        "server.data": str(tmp_path),
        "metrics.listen": "off",
        "database.url": "postgresql://coterie:***@/coterie?host=/run&password=***",
        "wakeups.url": "nats://a:***@127.0.0.1",
    }
    assert not (tmp_path / "server.db").exists()
    assert main([*check, "--database", "postgresql://elsewhere/it"]) == Exit.USAGE
    assert main([*check, "--cert", str(tmp_path / "no"), "--key", str(tmp_path / "no")]) == Exit.USAGE
    (tmp_path / FILE).write_text("[server]\nworker = 2\n")
    capsys.readouterr()
    assert main(check) == Exit.USAGE
    assert "did you mean server.workers?" in capsys.readouterr().err
