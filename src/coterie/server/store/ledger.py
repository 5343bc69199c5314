"""Writing what the server is: its facts, statements, tokens, and the ledger's leaves and heads."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.server.store.records import ChangeIdentity, FoundServer, NewLeaf, PutHead, PutStatement, PutToken
from coterie.server.store.results import DONE, Denied, LeafAdded, Result
from coterie.server.store.statements import Statements

HEADS_KEPT = 24


class LedgerWrites:
    """Records of the server itself."""

    def __init__(self, statements: Statements) -> None:
        self._db = statements

    async def size(self) -> int:
        """How many leaves there are."""
        return await self._db.number("SELECT max(idx) + 1 FROM leaves")

    async def follows(self, leaf: NewLeaf) -> bool:
        """Whether the leaf's condition holds."""
        row = await self._db.one("SELECT idx FROM newest_leaves WHERE name_hash = ?", (leaf.name_hash,))
        return (row[0] if row else -1) == leaf.previous

    async def append(self, leaf: NewLeaf) -> int:
        """Write a leaf whose condition holds; its index."""
        index = await self.size()
        await self._db.run("INSERT INTO leaves VALUES (?, ?)", (index, leaf.packed))
        await self._db.run(
            "INSERT INTO newest_leaves VALUES (?, ?)"
            " ON CONFLICT (name_hash) DO UPDATE SET idx = excluded.idx",
            (leaf.name_hash, index),
        )
        return index

    async def found(self, record: FoundServer) -> Result:
        if await self.size():
            return Denied(Code.STALE_MANIFEST)
        for name, value in record.facts:
            await self.put_fact(name, value)
        await self._db.run("INSERT INTO statements VALUES (1, ?)", (record.statement,))
        index = await self.append(record.leaf)
        await self._db.run("INSERT INTO heads VALUES (1, ?, ?)", (record.now_ms, record.head))
        await self._db.run("INSERT INTO conversations (conversation) VALUES (?)", (record.everyone,))
        return LeafAdded(index, record.leaf.packed)

    async def put_fact(self, name: str, value: bytes, *, once: bool = False) -> Result:
        again = "DO NOTHING" if once else "DO UPDATE SET value = excluded.value"
        await self._db.run(f"INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) {again}", (name, value))  # noqa: S608 - constants
        return DONE

    async def put_token(self, record: PutToken) -> Result:
        await self._db.run(
            "INSERT INTO tokens VALUES (?, ?, ?) ON CONFLICT (mac)"
            " DO UPDATE SET uses_left = excluded.uses_left, expires_ms = excluded.expires_ms",
            (record.mac, record.uses, record.expires_ms),
        )
        return DONE

    async def put_statement(self, record: PutStatement) -> Result:
        newest = await self._db.number("SELECT max(seq) FROM statements")
        if record.seq != newest + 1 or not await self.follows(record.leaf):
            return Denied(Code.STALE_MANIFEST)
        await self._db.run("INSERT INTO statements VALUES (?, ?)", (record.seq, record.signed))
        return LeafAdded(await self.append(record.leaf), record.leaf.packed)

    async def change_identity(self, record: ChangeIdentity) -> Result:
        statement = record.statement
        newest = await self._db.number("SELECT max(seq) FROM statements")
        in_order = statement.seq == newest + 2 and statement.leaf.previous == await self.size()
        if not in_order or not await self.follows(record.change):
            return Denied(Code.STALE_MANIFEST)
        await self.append(record.change)
        for name, value in record.facts:
            await self.put_fact(name, value)
        await self._db.run("INSERT INTO statements VALUES (?, ?)", (statement.seq, statement.signed))
        return LeafAdded(await self.append(statement.leaf), statement.leaf.packed)

    async def put_head(self, record: PutHead) -> Result:
        newest = await self._db.one("SELECT size, time_ms FROM heads ORDER BY size DESC LIMIT 1")
        is_next = newest is None or (record.size, record.time_ms) > (newest[0], newest[1])
        if record.size > await self.size() or not is_next:
            return Denied(Code.STALE_MANIFEST)
        await self._db.run(
            "INSERT INTO heads VALUES (?, ?, ?) ON CONFLICT (size)"
            " DO UPDATE SET time_ms = excluded.time_ms, signed = excluded.signed",
            (record.size, record.time_ms, record.signed),
        )
        await self._db.run(
            "DELETE FROM heads WHERE size NOT IN (SELECT size FROM heads ORDER BY size DESC LIMIT ?)",
            (HEADS_KEPT,),
        )
        return DONE
