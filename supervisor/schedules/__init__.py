"""When recorders record by themselves."""
