"""What fills a log: a corpus, a folder of texts, or a simulated newsroom."""
