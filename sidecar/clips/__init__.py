"""Clips of our own for demos, tests and benchmarks: moving, numbered in figures and in cells, with sound."""
