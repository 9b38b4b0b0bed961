"""From an article's markup to its weighted features; no Spark, no store."""
