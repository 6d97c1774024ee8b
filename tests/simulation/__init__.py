"""The real supervisor code on virtual time: simulated nodes, sidecars, network, database; faults drawn from a seed."""
