"""What this supervisor can be measured by: ``GET /metrics``."""
