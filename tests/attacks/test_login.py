"""False salts, false wrapped secrets and false servers at login (encryption rules 5, 6 and 7).

A real server in this process, whose answers are changed on the way out: what a hostile one could say.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType

import msgspec
import pytest
import pytest_asyncio

import coterie
from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.errors import CoterieError, SecurityStop
from coterie.base.invite import parse_invite
from coterie.client.link import Address, Connection
from coterie.e2ee.identity import Vault, vault_hash
from coterie.ledger.manifest import Manifest, SignedManifest
from coterie.server.commands import hello, login_prove, login_start
from coterie.server.commands.outcome import Outcome
from coterie.wire.frames import Salt, ServerFrame, VaultOpened
from tests.village.conftest import Village

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]

Change = Callable[[ServerFrame], ServerFrame]


class Prey:
    """Somebody with a generated passphrase, and the server they log in to once more."""

    def __init__(self, village: Village, passphrase: str, patch: pytest.MonkeyPatch) -> None:
        self.village = village
        self.passphrase = passphrase
        self.patch = patch
        self.proofs = 0

    def answered(self, module: ModuleType, change: Change) -> None:
        """The server's answers of one command, changed on their way out."""
        honest: Callable[..., Awaitable[Outcome]] = module.handle

        async def lying(*arguments: object) -> Outcome:
            outcome = await honest(*arguments)
            self.proofs += module is login_prove
            return msgspec.structs.replace(outcome, reply=tuple(change(frame) for frame in outcome.reply))

        self.patch.setattr(module, "handle", lying)

    async def stopped(self) -> Code:
        """The security stop that logging in ends with; nothing of it stays on the machine."""
        home: Path = self.village.home("laptop")
        with pytest.raises(CoterieError) as stop:
            await coterie.log_in(server=self.village.invite, name="bob", password=self.passphrase, home=home)
        assert isinstance(stop.value, SecurityStop), stop.value
        assert coterie.profiles(home) == ()
        return stop.value.code


@pytest_asyncio.fixture
async def prey(village: Village, monkeypatch: pytest.MonkeyPatch) -> Prey:
    bob = await village.person("bob", passphrase=True)
    assert bob.passphrase is not None
    return Prey(village, bob.passphrase, monkeypatch)


@pytest.mark.parametrize("weaker", [{"memory_kib": 1024}, {"passes": 1}, {"lanes": 1}])
async def test_a_weaker_stretching_is_refused(prey: Prey, weaker: dict[str, int]) -> None:
    """Attack: the server asks for a stretching that it can guess its way through. Rule 5: refused below the
    floor, before anything made from the password leaves."""

    def change(frame: ServerFrame) -> ServerFrame:
        return msgspec.structs.replace(frame, **weaker) if isinstance(frame, Salt) else frame

    prey.answered(login_start, change)
    prey.answered(login_prove, lambda frame: frame)
    assert await prey.stopped() is Code.SEAL_BROKEN
    assert prey.proofs == 0


async def test_a_false_salt_is_noticed(prey: Prey) -> None:
    """Attack: the server draws the random part of the salt itself, one for which it has a table, and takes
    any proof. Rule 5: the random part stands in the vault, whose hash the manifest names."""
    opened = await opened_vault(prey)
    prey.answered(login_start, false_random)
    prey.answered(login_prove, lambda _: opened)
    assert await prey.stopped() is Code.IDENTITY_CHANGED
    assert prey.proofs == 1


def false_random(frame: ServerFrame) -> ServerFrame:
    return msgspec.structs.replace(frame, random=b"table of guesses") if isinstance(frame, Salt) else frame


async def opened_vault(prey: Prey) -> VaultOpened:
    """What the honest server gives to whoever proves the passphrase."""
    seen: list[VaultOpened] = []

    def keep(frame: ServerFrame) -> ServerFrame:
        if isinstance(frame, VaultOpened):
            seen.append(frame)
        return frame

    with prey.patch.context() as patch:
        watched = Prey(prey.village, prey.passphrase, patch)
        watched.answered(login_prove, keep)
        me = await coterie.log_in(
            server=prey.village.invite, name="bob", password=prey.passphrase, home=prey.village.home("tablet")
        )
        await me.close()
    return seen[0]


async def test_a_false_vault_is_noticed(prey: Prey) -> None:
    """Attack: another vault than the person's, to have the recovery key typed in for example. Rule 2: the
    manifest names its hash."""

    def change(frame: ServerFrame) -> ServerFrame:
        if not isinstance(frame, VaultOpened):
            return frame
        vault = Vault.unpack(frame.vault)
        only_recovery = msgspec.structs.replace(vault, wrapped=vault.wrapped[-1:])
        return msgspec.structs.replace(frame, vault=only_recovery.pack())

    prey.answered(login_prove, change)
    assert await prey.stopped() is Code.IDENTITY_CHANGED


async def test_a_false_wrapped_secret_is_noticed(prey: Prey) -> None:
    """Attack: a wrapping that does not open, in a vault and a manifest that fit. Rule 6: the key was
    proven, so this is no typing error."""

    def change(frame: ServerFrame) -> ServerFrame:
        if not isinstance(frame, VaultOpened):
            return frame
        vault = Vault.unpack(frame.vault)
        wrapped = tuple(msgspec.structs.replace(each, ciphertext=bytes(4096)) for each in vault.wrapped)
        packed = msgspec.structs.replace(vault, wrapped=wrapped).pack()
        return with_manifest(frame, vault_hash=vault_hash(packed), vault=packed)

    prey.answered(login_prove, change)
    assert await prey.stopped() is Code.SEAL_BROKEN


async def test_a_false_manifest_is_noticed(prey: Prey) -> None:
    """Attack: the new device is to sign a successor of a manifest with a ghost in it. Rule 2: what is
    signed on was signed by the identity that the vault gave."""
    prey.answered(
        login_prove,
        lambda frame: with_manifest(frame, time_ms=1) if isinstance(frame, VaultOpened) else frame,
    )
    assert await prey.stopped() is Code.IDENTITY_CHANGED


def with_manifest(frame: VaultOpened, *, vault: bytes | None = None, **changes: object) -> VaultOpened:
    """The same answer with a changed manifest under the old signatures."""
    signed = SignedManifest.unpack(frame.manifest)
    manifest: Manifest = msgspec.structs.replace(signed.manifest, **changes)
    forged = msgspec.structs.replace(signed, payload=manifest.pack())
    return msgspec.structs.replace(frame, manifest=forged.pack(), vault=vault or frame.vault)


async def test_a_false_server_hears_nothing(prey: Prey, tmp_path: Path) -> None:
    """Attack: another server under the address in the invite. Rule 7: its founding identity is not the pinned
    one, so not even a name is said to it."""
    false = await Village(tmp_path / "false").start()
    try:
        pinned = parse_invite(prey.village.invite)
        prey.village.invite = pinned.link.replace(f":{pinned.port}", f":{false.port}", 1)
        prey.answered(login_start, lambda _: pytest.fail("a name was said"))
        assert await prey.stopped() is Code.IDENTITY_CHANGED
    finally:
        await false.close()


async def test_somebody_in_between_is_noticed(prey: Prey, tmp_path: Path) -> None:
    """Attack: somebody takes the connection with a certificate of their own and passes on the true server's
    Welcome. Rule 7: its statement names the key of another certificate."""
    pinned = parse_invite(prey.village.invite)
    seen = await Connection.open(Address(pinned.host, pinned.port, pinned.fingerprint), SystemClock())
    seen.close()
    await seen.lost()
    prey.patch.setattr(hello, "handle", lambda *_: Outcome(0, reply=(seen.welcome,)))
    false = await Village(tmp_path / "false").start()
    try:
        prey.village.invite = pinned.link.replace(f":{pinned.port}", f":{false.port}", 1)
        prey.answered(login_start, lambda _: pytest.fail("a name was said"))
        assert await prey.stopped() is Code.IDENTITY_CHANGED
    finally:
        await false.close()
