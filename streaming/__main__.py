"""``python -m streaming`` is ``leitong``, and so is this file, where spark-submit runs it."""

import sys
from pathlib import Path

if not __package__:
    # Python looks beside a file first, and what is there are parts of a package.
    sys.path.remove(str(Path(__file__).parent))

from streaming.cli import main

sys.exit(main())
