"""The as-run log as the supervisor makes it: events out of the journals' records."""
