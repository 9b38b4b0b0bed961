"""``python -m streaming`` is ``leitong``."""

import sys

from streaming.cli import main

sys.exit(main())
