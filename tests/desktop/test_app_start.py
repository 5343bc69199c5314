"""What is loaded before the first screen is painted: a start stays short by what it leaves for later."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from pathlib import Path
from coterie.desktop.app import App
from coterie.desktop.sdk_doors import SdkDoors

def painted():
    print(" ".join(sorted(sys.modules)))
    print(type(app.window.screen).__name__, app.window.screen.winfo_viewable())
    app.window.root.after(1, app.window.root.quit)

app = App(SdkDoors(), Path(sys.argv[1]), on_painted=painted)
sys.exit(app.run())
"""
LATER = {
    "asyncio",
    "PIL",
    "cryptography",
    "vodozemac",
    "picows",
    "zxcvbn",
    "emoji",
    "coterie.desktop.main_window",
    "coterie.client.api.me",
    "coterie.e2ee.vodo",
}


def test_the_unlock_screen_is_painted_before_anything_else_is_loaded(display: str, tmp_path: Path) -> None:
    place = tmp_path / "profiles" / "alice@00112233"
    place.mkdir(parents=True)
    (place / "keys").touch()
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        env=os.environ | {"COTERIE_THEME": "dark"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    modules, screen = ran.stdout.splitlines()
    assert screen == "UnlockForm 1"
    assert not LATER & set(modules.split())
    assert ran.stderr == ""
