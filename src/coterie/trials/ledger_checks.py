"""The ledger: leaves, proofs, a full audit, the login of a second device, and what it costs a message."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import ExitStack, closing

from coterie.base import limits
from coterie.base.clock import cpu_seconds
from coterie.base.codes import Code
from coterie.base.errors import LocalError
from coterie.base.ids import NO_HASH, AccountId, UserName
from coterie.base.signing import IdentityKeys, LedgerKeys, account_id
from coterie.client.api.log_in import log_in
from coterie.client.api.sign_up import sign_up
from coterie.client.core.alarms import Witness
from coterie.client.store.records import Setting
from coterie.ledger.audit import LedgerFile, audit
from coterie.ledger.heads import Head, SignedHead, sign_head
from coterie.ledger.leaves import NO_LEAF, SERVER_NAME_HASH, Leaf, LeafKind, LedgerView, name_hash
from coterie.ledger.statements import ServerStatement, ledger_id, sign_statement
from coterie.ledger.tree import Tree, verify_consistency, verify_inclusion
from coterie.trials.citizens import settle
from coterie.trials.client_messages import costs
from coterie.trials.core_alone import CoreAlone, open_core
from coterie.trials.figures import Figure, Target
from coterie.trials.people import PATIENCE_SECONDS, meet
from coterie.trials.processes import coterie_server
from coterie.trials.trial import Trial

AUDIT_TARGET = (Target(3.0),)
BYTES_TARGET = (Target(15.0),)
LOG_IN_TARGET = (Target(2.0),)
MESSAGE_TARGET = (Target(0.1, of_floor=True),)
PROOFS = 500
CHECKS = 500
NEW_LEAVES = 100


async def run(trial: Trial) -> list[Figure]:
    file = made_up(trial.scale.ledger_accounts)
    figures = _of_leaves(file, trial) + _of_audits(file, trial)
    async with coterie_server(trial.folder / "server") as server:
        await settle(server.invite, trial.scale.few_devices, trial.clock)
        figures.append(await _log_in(trial, server.invite.link))
        alice, bob = await meet(server.invite, trial.folder)
        await alice.send("@bob", "hello")
        await bob.wait_drained()
        await bob.send("@alice", "hello")
        await alice.close()
        await bob.close()
    with ExitStack() as stack:
        cores = open_core(trial.folder / "alice"), open_core(trial.folder / "bob")
        for core in cores:
            stack.enter_context(closing(core.store))
        return [*figures, *_of_messages(*cores, trial)]


def made_up(accounts: int) -> LedgerFile:
    """A ledger with the server's leaf and one of each account, under one signed head."""
    identity, keys = IdentityKeys.generate(), LedgerKeys.generate()
    server, nonce = account_id(identity.public), secrets.token_bytes(16)
    ledger = ledger_id(server, nonce)
    statement = sign_statement(
        ServerStatement(
            server=server,
            identity=identity.public.pack(),
            seq=1,
            tls_key=bytes(32),
            ledger=ledger,
            ledger_nonce=nonce,
            founding_ledger=ledger,
            ledger_key=keys.public.pack(),
            incarnation=bytes(16),
            issued_ms=0,
            expires_ms=limits.STATEMENT_MS,
            previous=NO_HASH,
        ),
        identity,
    )
    leaves = [Leaf(LeafKind.SERVER, SERVER_NAME_HASH, server, 1, statement.hash, NO_LEAF).pack()]
    for number in range(accounts):
        name = name_hash(UserName(f"person{number}"))
        account = AccountId(secrets.token_bytes(32))
        leaves.append(Leaf(LeafKind.MANIFEST, name, account, 1, secrets.token_bytes(32), NO_LEAF).pack())
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    head = sign_head(Head(ledger, tree.size, tree.root(), 0), keys).pack()
    return LedgerFile(identity.public.pack(), (), statement.pack(), (head,), (), tuple(leaves))


def _of_leaves(file: LedgerFile, trial: Trial) -> list[Figure]:
    append, included, consistent = [], [], []
    for _ in range(trial.scale.rounds):
        start = cpu_seconds()
        view = LedgerView.from_leaves(file.leaves)
        append.append((cpu_seconds() - start) / view.size * 1e6)
        places = [secrets.randbelow(view.size) for _ in range(PROOFS)]
        root = view.root()
        start = cpu_seconds()
        for place in places:
            proof = view.tree.inclusion(place, view.size)
            verify_inclusion(file.leaves[place], place, view.size, proof, root)
        included.append((cpu_seconds() - start) / PROOFS * 1e6)
        start = cpu_seconds()
        for place in places:
            steps = view.tree.consistency(place, view.size)
            verify_consistency(place, view.root(place), view.size, root, steps)
        consistent.append((cpu_seconds() - start) / PROOFS * 1e6)
    size = f"in a ledger of {len(file.leaves)} leaves"
    return [
        _figure("append", "a leaf checked against its name and appended, CPU", "us", append),
        _figure("inclusion", f"a proof of inclusion made and verified, {size}, CPU", "us", included),
        _figure("consistency", f"one of consistency, and the older root, {size}, CPU", "us", consistent),
    ]


def _of_audits(file: LedgerFile, trial: Trial) -> list[Figure]:
    """What a client does with all leaves when it comes, and the second verifier with a file of them."""
    own, second = [], []
    for _ in range(trial.scale.rounds):
        start = trial.clock.monotonic_seconds()
        LedgerView.from_leaves(file.leaves).root()
        own.append(trial.clock.monotonic_seconds() - start)
        packed = file.pack()
        start = trial.clock.monotonic_seconds()
        found = audit(LedgerFile.unpack(packed))
        second.append(trial.clock.monotonic_seconds() - start)
        if found.fraud is not None or found.covered != len(file.leaves):
            raise LocalError(Code.USAGE, "the audit of a sound ledger went wrong")
    accounts = f"{len(file.leaves) - 1} accounts"
    delta = sum(len(leaf) for leaf in file.leaves[-NEW_LEAVES:]) / 1000
    return [
        _figure("client", f"a client checks all leaves of {accounts}", "s", own, AUDIT_TARGET),
        _figure("audit", f"the second verifier reads and checks {accounts}", "s", second, AUDIT_TARGET),
        _figure("bytes", f"all leaves of {accounts}, once", "MB", [len(file.pack()) / 1e6], BYTES_TARGET),
        _figure("delta", f"{NEW_LEAVES} new leaves afterwards", "KB", [delta]),
    ]


async def _log_in(trial: Trial, invite: str) -> Figure:
    """A second device by passphrase, until it is up to date with everybody."""
    taken = []
    for number in range(trial.scale.doors):
        name, home = f"twice{number}", trial.folder / f"first{number}"
        me = await sign_up(server=invite, name=name, generate_passphrase=True, home=home)
        passphrase = me.passphrase or ""
        await me.wait_live(PATIENCE_SECONDS)
        await me.close()
        start = trial.clock.monotonic_seconds()
        second = trial.folder / f"second{number}"
        me = await log_in(server=invite, name=name, password=passphrase, home=second)
        await me.wait_live(PATIENCE_SECONDS)
        taken.append(trial.clock.monotonic_seconds() - start)
        await me.close()
    what = f"a second device by passphrase, until live, among {trial.scale.few_devices} accounts"
    return _figure("log_in", what, "s", taken, LOG_IN_TARGET)


def _of_messages(alice: CoreAlone, bob: CoreAlone, trial: Trial) -> list[Figure]:
    """What the ledger adds to a message, beside all that the message costs."""
    whole = costs(alice, bob, trial)
    now_ms = trial.clock.wall_ms()
    head = SignedHead.unpack(bob.store.setting(Setting.HEAD) or b"").brief.pack()
    peer, trust = bob.profile.account, alice.core.trust
    view, size = bob.core.trust.view, bob.core.trust.view.size

    def before_sending(_: int) -> None:
        if not trust.current or trust.lacks(peer):
            raise LocalError(Code.USAGE, "not up to date")
        trust.after_turn(now_ms)

    def known(_: int) -> None:
        bob.core.trust.heard(head)

    sends, heard, fresh = [], [], []
    for _ in whole:
        witnesses = [Witness(bob.store, bob.profile) for _ in range(CHECKS)]
        sends.append(_each(before_sending))
        heard.append(_each(known))
        fresh.append(_each(lambda number, each=witnesses: each[number].heard(head, view, size)))  # type: ignore[misc] # bound for this round
    seal, opened = ([each[way] for each in whole] for way in (0, 1))
    what = "CPU (floor: {} the whole message)"
    sealing, opening = what.format("sealing"), what.format("opening")
    return [
        _figure("send", f"what a message waits for the ledger, {sealing}", "us", sends, MESSAGE_TARGET, seal),
        _figure("heard", f"a head in a message, known, {opening}", "us", heard, MESSAGE_TARGET, opened),
        _figure("fresh", f"a head not heard before, {opening}", "us", fresh, (), opened),
    ]


def _each(check: Callable[[int], None]) -> float:
    """Microseconds of CPU for one."""
    start = cpu_seconds()
    for number in range(CHECKS):
        check(number)
    return (cpu_seconds() - start) / CHECKS * 1e6


def _figure(
    name: str,
    what: str,
    unit: str,
    values: list[float],
    targets: tuple[Target, ...] = (),
    floor: list[float] | None = None,
) -> Figure:
    return Figure(
        name=f"ledger.{name}",
        what=what,
        unit=unit,
        values=tuple(values),
        floor=tuple(floor or ()),
        targets=targets,
    )
