"""A process of its own that holds a profile: says "held", and lets go when its input ends."""

from __future__ import annotations

import sys
from pathlib import Path

from coterie.client.store.lock import ProfileLock
from coterie.client.store.profiles import ProfilePlace

lock = ProfileLock(ProfilePlace(Path(sys.argv[1]), "alice"))
print("held" if lock.try_acquire() else "not held", flush=True)
sys.stdin.read()
lock.release()
print("released", flush=True)
sys.stdin.close()
