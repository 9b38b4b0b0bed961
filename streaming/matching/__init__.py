"""The pure rules: what a verdict is. No Spark, no store."""
