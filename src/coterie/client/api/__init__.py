"""The public SDK: everything else in client is private. Exported lazily by the package coterie."""
