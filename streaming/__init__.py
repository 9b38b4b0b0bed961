"""Leitong: near-duplicate verdicts for a newsroom's stream of articles."""
