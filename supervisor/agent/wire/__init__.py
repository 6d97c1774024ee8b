"""What a supervisor and a node's agent say to each other over HTTP, and how each knows the other."""
