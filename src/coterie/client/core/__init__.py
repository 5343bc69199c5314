"""The client's core: sans-I/O, one file per job; switchboard.py only routes."""
