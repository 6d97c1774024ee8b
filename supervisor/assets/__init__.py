"""Assets: fingerprint, probe and import of media files."""
