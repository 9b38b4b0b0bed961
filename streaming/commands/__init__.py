"""The commands of ``leitong``, one module per group; heavy imports wait until one runs."""
