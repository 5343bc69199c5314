-- What a step of a session or an answer of the server writes takes fewer pages of the log
-- (docs/decisions/0056-a-turn-gives-one-fresh-key.md).

-- A session that steps changes neither key nor device: its index has no page to write.
DROP INDEX olm_by_device;
CREATE INDEX olm_by_device ON olm ("device");

-- Asked for four times a day, when the outbox is pruned; written with every message that was accepted.
DROP INDEX outbox_sent;
