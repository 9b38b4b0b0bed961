"""Figures that come with the package, measured on real articles."""
