from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
sys.modules["tkinter"] = sys.modules["textual"] = sys.modules["PIL"] = None
import coterie.screens.presenter, coterie.screens.actions, coterie.screens.theme, coterie.screens.form_texts
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("_tkinter", "coterie")))
"""


def test_screens_need_no_toolkit_and_nothing_private_of_the_client() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "_tkinter" not in done.stdout
    allowed = ("'coterie.client'", "'coterie.client.events'", "'coterie.client.shapes'")
    client = [name for name in done.stdout.strip("[]\n").split(", ") if name.startswith("'coterie.client")]
    assert [name for name in client if name not in allowed] == []
