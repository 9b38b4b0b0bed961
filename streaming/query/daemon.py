"""The parent of Spark's Python workers, in place of ``pyspark.daemon``, which it then runs.

Two things make it worth having. Spark puts its packages on the workers' path as zip
archives and has the import caches dropped before *every* task; Python 3.11 answers by reading
the directory of each archive again, once per package, which costs a task more than half a
second. So the archives leave the path wherever pyspark is installed as a package as well.
And what every worker imports is imported here, once, before workers are forked: a worker
that Spark ended for idling comes back in no time.
"""

import gc
import runpy
import sys
from importlib import import_module
from importlib.machinery import PathFinder

from streaming import collecting

WORKER_IMPORTS = ("pandas", "pyarrow", "streaming.query.tasks", "streaming.text.reader")

_ARCHIVES = (".zip", ".jar")


def without_archives(path: list[str]) -> list[str]:
    """Give the path without zip archives, if pyspark is found on what is left; else all of it.

    Jars are such archives, and Spark puts its own there.
    """
    rest = [entry for entry in path if not entry.endswith(_ARCHIVES)]
    return rest if PathFinder.find_spec("pyspark", rest) else path


def main() -> None:
    """Prepare the process, then be ``pyspark.daemon``."""
    sys.path[:] = without_archives(sys.path)
    for entry in [each for each in sys.path_importer_cache if each.endswith(_ARCHIVES)]:
        if entry not in sys.path:
            del sys.path_importer_cache[entry]
    for module in WORKER_IMPORTS:
        import_module(module)
    collecting.seldom()
    # Nothing that was made so far goes away any more; and memory that no worker looks through
    # stays shared by all of them.
    gc.freeze()
    runpy.run_module("pyspark.daemon", run_name="__main__")


if __name__ == "__main__":
    main()
