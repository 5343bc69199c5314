"""Where sealed files lie: bytes that the server has no key for, under ids that say nothing."""
