"""The sidecar HTTP door: status, commands, as-run, thumbnail, metrics."""
