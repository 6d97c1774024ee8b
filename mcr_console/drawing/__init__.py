"""Pure functions from what is known to lines of the terminal: no widget, no clock and no network in here."""
