"""A real Kafka broker and a real HBase on this machine, without containers."""
