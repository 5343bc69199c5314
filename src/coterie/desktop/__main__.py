"""python -m coterie.desktop: the window on the default folder of accounts."""

from __future__ import annotations

import sys

from coterie.client.store.profiles import default_home
from coterie.desktop.app import run

sys.exit(run(default_home(), None, None))
