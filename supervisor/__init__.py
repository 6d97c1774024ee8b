"""The headless supervisor: decides, starts, watches, fails over, and writes down what aired."""
