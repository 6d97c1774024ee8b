"""What crosses the sidecar's doors: its document, its HTTP contract and its journal's lines.

Everything here is a frozen value, and nothing here does I/O or knows a clock, so that the
supervisor may import it. Field names are the same in JSON, in the API and in the database.
"""
