"""The parent of Spark's Python workers, none of which can open what is below a directory.

``$LEITONG_OUT_OF_REACH`` names it. So a program on one host shows what its workers would
miss on another.
"""

import errno
import os
import sys
from typing import Any

from streaming.query import daemon

OUT_OF_REACH = os.environ["LEITONG_OUT_OF_REACH"]


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and str(arguments[0]).startswith(OUT_OF_REACH):
        raise PermissionError(errno.EACCES, "is out of the workers' reach", arguments[0])


if __name__ == "__main__":
    sys.addaudithook(refuse)
    daemon.main()
