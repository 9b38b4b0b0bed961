"""Fingerprints of weighted features, and the keys under which near ones meet."""
