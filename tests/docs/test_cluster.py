"""The example of three machines: its files are read by what reads them, and say what the manual says."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from coterie.cli.failures import Exit
from coterie.cli.main import main
from coterie.server.certificate import ensure_certificate
from coterie.trials.engines.nats import _program

ROOT = Path(__file__).parents[2]
CLUSTER = ROOT / "deploy" / "cluster"
PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
FILES = {"etcd.env", "nats.conf", "patroni.json", "server.toml"}
MACHINES = ("one.example.org", "two.example.org", "three.example.org")


def text(name: str) -> str:
    return (CLUSTER / name).read_text(encoding="utf-8")


def test_the_manual_names_every_file_and_fills_in_all_there_is_to_fill_in() -> None:
    assert {file.name for file in CLUSTER.iterdir()} == FILES
    holes = {hole for name in FILES for hole in re.findall(r"@[A-Z_]+@", text(name))}
    assert holes == set(re.findall(r"s/(@[A-Z_]+@)/", PAGE))
    assert all(name in PAGE for name in FILES)


def test_the_database_acknowledges_what_two_machines_have() -> None:
    """Patroni reads YAML, which JSON is."""
    patroni = json.loads(text("patroni.json"))
    rules = patroni["bootstrap"]["dcs"]
    assert (rules["synchronous_mode"], rules["synchronous_mode_strict"]) == ("quorum", True)
    assert rules["synchronous_node_count"] >= 1
    assert rules["loop_wait"] + 2 * rules["retry_timeout"] <= rules["ttl"], "as Patroni wants it"
    parameters = rules["postgresql"]["parameters"] | patroni["postgresql"]["parameters"]
    assert parameters["synchronous_commit"] == "on"
    assert not parameters.keys() & {"fsync", "full_page_writes", "synchronous_standby_names"}
    assert "data-checksums" in patroni["bootstrap"]["initdb"]


def test_nothing_goes_between_machines_that_is_not_proven() -> None:
    patroni = json.loads(text("patroni.json"))
    assert patroni["etcd3"]["protocol"] == "https"
    assert patroni["restapi"]["verify_client"] == "required"
    assert {line.split()[0] for line in patroni["postgresql"]["pg_hba"]} == {"local", "hostssl"}
    assert {line.split()[-1] for line in patroni["postgresql"]["pg_hba"]} == {"peer", "scram-sha-256"}
    assert {each["sslmode"] for each in patroni["postgresql"]["authentication"].values()} == {"verify-full"}
    etcd = dict(line.split("=", 1) for line in text("etcd.env").splitlines() if not line.startswith("#"))
    assert all(name.startswith("ETCD_") for name in etcd)
    assert "http:" not in text("etcd.env")
    assert etcd["ETCD_CLIENT_CERT_AUTH"] == etcd["ETCD_PEER_CLIENT_CERT_AUTH"] == "true"
    hosts = [each.partition(":")[0] for each in patroni["etcd3"]["hosts"].split(",")]
    members = [each.partition("//")[2].partition(":")[0] for each in etcd["ETCD_INITIAL_CLUSTER"].split(",")]
    assert hosts == members == list(MACHINES)


def test_a_server_takes_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "server.toml").write_text(text("server.toml"))
    assert main(["serve", "--check-config", "--data", str(tmp_path), "--json"]) == Exit.DONE
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    said = {line["setting"]: line["value"] for line in lines if line["where"] == "file"}
    assert said.keys() == {"database.url", "wakeups.url", "blobs.url", "log.format"}
    hosts = said["database.url"].partition("@")[2].partition("/")[0].split(",")
    assert [each.partition(":")[0] for each in hosts] == list(MACHINES)
    assert f'listen: "{said["wakeups.url"].partition("//")[2]}"' in text("nats.conf")


@pytest.mark.slow
def test_nats_takes_its_file(tmp_path: Path) -> None:
    for name in ("ca.pem", "self.pem", "self.key"):
        ensure_certificate(tmp_path / name)
    (tmp_path / "self.key").write_bytes((tmp_path / "self.pem").read_bytes())
    filled = text("nats.conf").replace("@SELF@", "one").replace("/etc/coterie-cluster", str(tmp_path))
    (tmp_path / "nats.conf").write_text(filled)
    command = [str(_program()), "-t", "-c", str(tmp_path / "nats.conf")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
