"""What the tests of lying servers share: a server with a real identity and a ledger that begins with it, and
a judge in another home, who has nothing but the file that the victim exports."""

from __future__ import annotations

from pathlib import Path

import pytest

from coterie.base import limits
from coterie.base.ids import NO_HASH, AccountId
from coterie.base.signing import IdentityKeys
from coterie.client.core.profile import ServerProof
from coterie.client.core.recorded import ledger_file
from coterie.client.store.records import PutSetting, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.ledger.heads import Head, sign_head
from coterie.ledger.leaves import NO_LEAF, SERVER_NAME_HASH, Leaf, LeafKind, LedgerView
from coterie.ledger.statements import ServerStatement, sign_statement
from coterie.wire.frames import Claim, Envelopes
from tests.attacks.peers import EVERYONE, LEDGER, LEDGER_KEYS, LIFE, NOW_MS, SERVER, SERVER_KEYS, Peer
from tests.attacks.street import Ledger, Server, Victim, with_key
from tests.real.programs import Client

STATEMENT = sign_statement(
    ServerStatement(
        server=SERVER,
        identity=SERVER_KEYS.public.pack(),
        seq=1,
        tls_key=b"t" * 32,
        ledger=LEDGER,
        ledger_nonce=bytes(16),
        founding_ledger=LEDGER,
        ledger_key=LEDGER_KEYS.public.pack(),
        incarnation=LIFE,
        issued_ms=NOW_MS,
        expires_ms=NOW_MS + limits.STATEMENT_MS,
        previous=NO_HASH,
    ),
    SERVER_KEYS,
)


def founded(*peers: Peer) -> Ledger:
    """A ledger with the server's own leaf and these people."""
    ledger = Ledger()
    ledger.put(Leaf(LeafKind.SERVER, SERVER_NAME_HASH, SERVER, 1, STATEMENT.hash, NO_LEAF))
    for peer in peers:
        ledger.add(peer.signed)
    return ledger


def grown(ledger: Ledger, *leaves: Leaf) -> Ledger:
    """Another ledger that begins as this one."""
    other = Ledger()
    for packed in ledger.leaves:
        other.put(Leaf.unpack(packed))
    for leaf in leaves:
        other.put(leaf)
    return other


def somebody(number: int = 1) -> Leaf:
    """The first leaf of somebody whom nobody here knows."""
    account = AccountId(bytes((200 - number,)) * 32)
    return Leaf(LeafKind.MANIFEST, bytes((number,)) * 32, account, 1, b"h" * 32, NO_LEAF)


def brief(ledger: Ledger) -> bytes:
    """The head of a ledger as it stands in a message of somebody who was shown it."""
    head = Head(LEDGER, ledger.view.size, ledger.view.root(), NOW_MS)
    return sign_head(head, LEDGER_KEYS).brief.pack()


def tell(sender: Peer, victim: Victim, head: bytes) -> None:
    """One message, with the head that its sender was shown."""
    out = with_key(sender, victim, EVERYONE)
    victim.log(sender.message(out, EVERYONE, "hello", head=head))


def signed(leaves: list[bytes]) -> bytes:
    """A head over any leaves, also such as no honest server would sign."""
    view = LedgerView()
    for leaf in leaves:
        view.tree.append(leaf)
    return sign_head(Head(LEDGER, view.size, view.root(), NOW_MS), LEDGER_KEYS).pack()


def sealed_for(server: Server) -> set[bytes]:
    """The devices for which anything left the victim's program."""
    return {item.device for frame in server.got if isinstance(frame, Envelopes) for item in frame.items}


def claimed_for(server: Server) -> set[bytes]:
    """The devices of which keys were asked for."""
    return {ref.device for frame in server.got if isinstance(frame, Claim) for ref in frame.devices}


def stopped(victim: Victim) -> bool:
    """The proof is kept, as the runtime does after a stop; whether a later start would refuse to connect."""
    victim.apply(*victim.core.trust.witness.proof())
    return victim.new_core().trust.witness.stopped


class Judge:
    """Somebody else's machine, without account and without network."""

    def __init__(self, folder: Path) -> None:
        self._client = Client(folder / "judge", "judge")
        self._folder = folder

    def verdict(self, victim: Victim) -> int:
        """How `coterie ledger audit FILE` ends on what the victim can export now."""
        file = self._folder / "exported"
        kept = victim.new_core().trust.witness.kept
        file.write_bytes(ledger_file(victim.store, kept).pack())
        return self._client.run("ledger", "audit", str(file)).code


CONVICTED, NOT_ACCUSED = 4, 0


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    return Judge(tmp_path)


@pytest.fixture
def server(alice: Peer, mallory: Peer) -> Server:
    made = Server(founded(alice, mallory))
    made.peers.update({peer.account: peer for peer in (alice, mallory)})
    return made


@pytest.fixture
def newcomer(identities: dict[str, IdentityKeys], store: ClientStore, server: Server) -> Victim:
    """Bob's program before its first connection."""
    victim = Victim(identities["bob"], "bob", store, server)
    proof = ServerProof(SERVER_KEYS.public.pack(), (), STATEMENT.pack())
    victim.apply(PutSetting(Setting.SERVER_PROOF, proof.pack()))
    server.peers[victim.account] = victim
    server.ledger.add(victim.signed)
    return victim


@pytest.fixture
def bob(newcomer: Victim) -> Victim:
    """Connected, and knows everybody."""
    newcomer.connect()
    return newcomer
