"""Master control in a terminal: the Textual console and the command line."""
