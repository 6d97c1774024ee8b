"""Telling other programs of alarms and of the as-run, at least once."""
