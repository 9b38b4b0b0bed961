"""``python -m streaming`` is ``leitong``."""

from streaming.cli import main

main()
