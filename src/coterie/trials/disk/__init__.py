"""A disk for trials: its power can be cut at any moment, and it can be full, write-protected or broken."""

from coterie.trials.disk.layer import Fault, TrialDisk
from coterie.trials.disk.platter import Cut, Platter

__all__ = ["Cut", "Fault", "Platter", "TrialDisk"]
