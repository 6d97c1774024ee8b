"""The playout process: one per running channel, started with ``python -m sidecar``."""
