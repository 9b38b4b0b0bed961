"""The streaming query: the only part in which Spark is at home."""
