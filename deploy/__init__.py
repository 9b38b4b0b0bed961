"""Files to run Leitong with, shipped as data; nothing to import."""
