"""One micro-batch over a store: put everything, then look. No Spark in here."""
