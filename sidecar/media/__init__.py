"""From a file to frames and samples of the channel's format: reading, decoding, conforming, the slate."""
