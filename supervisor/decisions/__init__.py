"""What to do about a channel, as pure functions: no I/O, no database, no clock of their own."""
