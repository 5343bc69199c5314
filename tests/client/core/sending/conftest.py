"""Bob's program with Alice and Mallory, and a server for which a test decides what it says."""

from tests.attacks.conftest import alice, bob, identities, mallory, server
from tests.attacks.test_owed import fickle

__all__ = ["alice", "bob", "fickle", "identities", "mallory", "server"]
