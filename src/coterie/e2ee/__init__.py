"""How what is said is sealed: bytes in, bytes out; no clock, no disk, no network (docs/protocol.md, Sealing)."""
