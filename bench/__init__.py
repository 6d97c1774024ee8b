"""Measurements: ratios in one run, against a named peer or limit. Results are kept as JSON, raw samples included."""
