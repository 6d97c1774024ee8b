"""A recorder: an input's coded pictures and sound as they come, in files that are whole whatever happens."""
