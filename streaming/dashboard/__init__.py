"""The dashboard: a page over the store that reads, never writes, and never touches Spark."""
