"""Synapse: Matrix in Python and Rust, on PostgreSQL."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from coterie.trials.certificates import HOST
from coterie.trials.engines import postgres
from coterie.trials.peers import databases, programs
from coterie.trials.peers.contest import Peer, Targets
from coterie.trials.peers.matrix import People

PEER = Peer(
    name="synapse",
    title="Synapse on PostgreSQL",
    targets=Targets(direct=1 / 200, room=1 / 100),
    share=0.02,
    keeps_up=False,
)
UNLIMITED = {"per_second": 100000, "burst_count": 100000}
LIMITS = ("rc_message", "rc_registration")
LIMITS_OF_PARTS = {
    "rc_login": ("address", "account", "failed_attempts"),
    "rc_joins": ("local", "remote"),
    "rc_invites": ("per_room", "per_user", "per_issuer"),
    "rc_room_creation": (),
    "rc_joins_per_room": (),
}


class Synapse(People):
    """A running one; its database is part of it."""

    def __init__(self, program: programs.Program, port: int, secret: str, engine: postgres.Engine) -> None:
        super().__init__(port, secret)
        self._program = program
        self._engine = engine

    def cpu_seconds(self) -> float:
        return self._program.cpu_seconds() + programs.cpu_seconds_of_tree(self._engine.pid)


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Synapse, str]]:
    """One of its own with its database, and their versions. Raises Unavailable where there is none."""
    binary = programs.find("synapse_homeserver")
    user = None
    """It refuses nobody, and its Python lies where only who installed it may read."""
    secret = secrets.token_hex(16)
    async with databases.running() as engine:
        with ExitStack() as stack:
            folder = stack.enter_context(programs.home(user))
            port = programs.free_port()
            settings = _settings(folder, port, engine) | {"registration_shared_secret": secret}
            (folder / "homeserver.yaml").write_text(json.dumps(settings))
            (folder / "log.yaml").write_text(json.dumps(_LOG))
            programs.hand_over(folder, user)
            configuration = ("--config-path", folder / "homeserver.yaml")
            await programs.said_by((binary, *configuration, "--generate-keys"), folder)
            program = stack.enter_context(programs.started((binary, *configuration), folder, user))
            await program.await_port(port)
            synapse = Synapse(program, port, secret, engine)
            yield synapse, f"{await synapse.version()}, {await databases.version(engine)}"


_LOG = {
    "version": 1,
    "handlers": {"said": {"class": "logging.StreamHandler"}},
    "root": {"level": "WARNING", "handlers": ["said"]},
}


def _settings(folder: Path, port: int, engine: postgres.Engine) -> dict[str, object]:
    """As JSON, which is YAML: no limits on what people do, no federation, no statistics for anybody."""
    own = str(programs.certificate(folder))
    listener = {
        "port": port,
        "type": "http",
        "tls": True,
        "bind_addresses": ["127.0.0.1"],
        "resources": [{"names": ["client", "federation"]}],
    }
    place = {"user": "postgres", "dbname": "postgres", "host": str(engine.folder), "port": engine.port}
    parts = {name: dict.fromkeys(of, UNLIMITED) if of else UNLIMITED for name, of in LIMITS_OF_PARTS.items()}
    return (
        {
            "server_name": HOST,
            "listeners": [listener],
            "tls_certificate_path": own,
            "tls_private_key_path": own,
            "database": {"name": "psycopg2", "args": place | {"cp_min": 5, "cp_max": 10}},
            "media_store_path": str(folder / "media"),
            "signing_key_path": str(folder / "signing.key"),
            "log_config": str(folder / "log.yaml"),
            "pid_file": str(folder / "synapse.pid"),
            "report_stats": False,
            "trusted_key_servers": [],
            "federation_domain_whitelist": [],
            "presence": {"enabled": False},
            "bcrypt_rounds": 4,
            "macaroon_secret_key": secrets.token_hex(16),
            "form_secret": secrets.token_hex(16),
        }
        | dict.fromkeys(LIMITS, UNLIMITED)
        | parts
    )
