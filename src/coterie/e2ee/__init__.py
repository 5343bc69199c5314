"""How what is said is sealed: bytes in, bytes out; no clock, disk or network (docs/protocol.md, Sealing)."""
