"""The shell around the decisions: leadership, watching nodes, passes over channels, collecting the as-run."""
