"""``mcr demo``: channels on air on any machine, and nothing left behind however it ends."""
