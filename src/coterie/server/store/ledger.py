"""Writing what the server is: its facts, statements, tokens, and the ledger's leaves and heads."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.server.store.database import Database
from coterie.server.store.records import ChangeIdentity, FoundServer, NewLeaf, PutHead, PutStatement, PutToken
from coterie.server.store.results import DONE, Denied, LeafAdded, Result

HEADS_KEPT = 24


class LedgerWrites:
    """Records of the server itself."""

    def __init__(self, database: Database) -> None:
        self._db = database

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return self._db.number("SELECT max(idx) + 1 FROM leaves")

    def follows(self, leaf: NewLeaf) -> bool:
        """Whether the leaf's condition holds."""
        row = self._db.one("SELECT idx FROM newest_leaves WHERE name_hash = ?", (leaf.name_hash,))
        return (row[0] if row else -1) == leaf.previous

    def append(self, leaf: NewLeaf) -> int:
        """Write a leaf whose condition holds; its index."""
        index = self.size
        self._db.run("INSERT INTO leaves VALUES (?, ?)", (index, leaf.packed))
        self._db.run("INSERT OR REPLACE INTO newest_leaves VALUES (?, ?)", (leaf.name_hash, index))
        return index

    def found(self, record: FoundServer) -> Result:
        if self._db.number("SELECT count(*) FROM facts") or self.size:
            return Denied(Code.STALE_MANIFEST)
        for name, value in record.facts:
            self.put_fact(name, value)
        self._db.run("INSERT INTO statements VALUES (1, ?)", (record.statement,))
        index = self.append(record.leaf)
        self._db.run("INSERT INTO heads VALUES (1, ?, ?)", (record.now_ms, record.head))
        self._db.run("INSERT INTO conversations (conversation) VALUES (?)", (record.everyone,))
        return LeafAdded(index, record.leaf.packed)

    def put_fact(self, name: str, value: bytes) -> Result:
        self._db.run("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))
        return DONE

    def put_token(self, record: PutToken) -> Result:
        self._db.run(
            "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?)", (record.mac, record.uses, record.expires_ms)
        )
        return DONE

    def put_statement(self, record: PutStatement) -> Result:
        newest = self._db.number("SELECT max(seq) FROM statements")
        if record.seq != newest + 1 or not self.follows(record.leaf):
            return Denied(Code.STALE_MANIFEST)
        self._db.run("INSERT INTO statements VALUES (?, ?)", (record.seq, record.signed))
        return LeafAdded(self.append(record.leaf), record.leaf.packed)

    def change_identity(self, record: ChangeIdentity) -> Result:
        statement = record.statement
        newest = self._db.number("SELECT max(seq) FROM statements")
        in_order = statement.seq == newest + 2 and statement.leaf.previous == self.size
        if not in_order or not self.follows(record.change):
            return Denied(Code.STALE_MANIFEST)
        self.append(record.change)
        for name, value in record.facts:
            self.put_fact(name, value)
        self._db.run("INSERT INTO statements VALUES (?, ?)", (statement.seq, statement.signed))
        return LeafAdded(self.append(statement.leaf), statement.leaf.packed)

    def put_head(self, record: PutHead) -> Result:
        if record.size > self.size:
            return Denied(Code.STALE_MANIFEST)
        self._db.run(
            "INSERT OR REPLACE INTO heads VALUES (?, ?, ?)", (record.size, record.time_ms, record.signed)
        )
        self._db.run(
            "DELETE FROM heads WHERE size NOT IN (SELECT size FROM heads ORDER BY size DESC LIMIT ?)",
            (HEADS_KEPT,),
        )
        return DONE
