"""Stretching passwords, one at a time in a process.

Two Argon2id runs with several lanes in two threads wait for each other for ever: OpenSSL shares one pool of
threads among them (seen with cryptography 48 and two threads).
"""

from __future__ import annotations

import asyncio
import threading

from coterie.base.ids import AccountId, UserName
from coterie.e2ee import password
from coterie.e2ee.password import Argon2Parameters, PasswordKeys

_one_at_a_time = threading.Lock()


def stretch(
    word: str,
    founding: AccountId,
    name: UserName,
    random: bytes,
    parameters: Argon2Parameters | None = None,
) -> PasswordKeys:
    """As e2ee.password.stretch(); raises what that raises."""
    with _one_at_a_time:
        return password.stretch(word, founding, name, random, parameters)


async def stretched(
    word: str, founding: AccountId, name: UserName, random: bytes, parameters: Argon2Parameters
) -> PasswordKeys:
    """The same beside the event loop."""
    return await asyncio.to_thread(stretch, word, founding, name, random, parameters)
