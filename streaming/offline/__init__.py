"""Batch jobs beside the query, on the same Spark."""
