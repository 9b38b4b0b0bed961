"""Work on files beside the query: evaluate, calibrate, match."""
