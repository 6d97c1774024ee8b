"""The node agent: starts, finds again, watches and stops sidecars on its node, and refuses older epochs."""
