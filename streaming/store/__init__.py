"""The index: one contract, three backends, and what is written once above them."""
