"""Instruments that measure from outside: they import nothing of ours, and are themselves tested with planted faults."""
