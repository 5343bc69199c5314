"""What a server of several workers tells each of them."""

from __future__ import annotations

from pathlib import Path

from coterie.cli.arguments import parse
from coterie.cli.commands.serve import _settings, _words


def test_workers_serve_what_they_were_started_for(tmp_path: Path) -> None:
    """All but where they listen, and which one each is: one that is left out makes another server."""
    options = [
        *(
            "--data",
            str(tmp_path),
            "--database",
            "postgresql://somewhere/it",
            "--wakeups",
            "nats://somewhere",
        ),
        *("--blobs", "s3://somewhere", "--cert", "chain.pem", "--key", "key.pem", "--open-signup"),
    ]
    given = parse(["serve", *options, "--workers", "2"])
    assert _settings(parse(_words(given, as_json=False))) == _settings(given)
