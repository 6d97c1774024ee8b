"""The HTTP API under ``/api/v1``: a module a noun, thin handlers over the store and the one door for commands."""
