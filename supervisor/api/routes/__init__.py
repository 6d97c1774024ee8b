"""One module a noun; each handler checks, calls the store or the commands, and answers."""
