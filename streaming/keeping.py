"""Where that is kept which is fetched or made once per host: jars, dictionaries, models, views.

It is made when it is first needed. What was prepared beforehand, for a container or for the
workers of a cluster, lies in a directory of its own that nobody need be able to write.
"""

import os
from pathlib import Path


def cache_home() -> Path:
    """Return the directory of what is kept: ``$LEITONG_HOME``, or else ``~/.cache/leitong``."""
    return Path(os.environ.get("LEITONG_HOME") or Path.home() / ".cache" / "leitong").absolute()


def kept(kind: str, name: str) -> Path:
    """Return the directory of one thing, among what was prepared or else in the cache.

    ``$LEITONG_PREPARED`` names the directory that ``leitong prepare --to`` filled.
    """
    prepared = os.environ.get("LEITONG_PREPARED")
    if prepared and (there := Path(prepared).absolute() / kind / name).is_dir():
        return there
    return cache_home() / kind / name
