"""A node's agent as a service over HTTP: ``mcr agent``."""
