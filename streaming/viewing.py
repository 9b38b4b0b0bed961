"""Where a host keeps the views that it ranks articles against."""

import hashlib
import shutil
from pathlib import Path

from streaming.settings import Settings
from streaming.stack.jars import cache_home

_LETTERS = 16


def view_directory(settings: Settings, model: str, since: bytes, scope: str) -> Path:
    """Give the directory of a scope's view under a model whose log counts since then.

    The settings must name the generation, and its store so that every process finds it.
    """
    return _of_index(settings) / f"{model}-{since.hex()}" / _short(scope)


def drop_views(settings: Settings, kept: set[tuple[str, bytes]]) -> None:
    """Remove this host's views of other models than these, each with its log's beginning."""
    names = {f"{model}-{since.hex()}" for model, since in kept}
    home = _of_index(settings)
    for path in home.iterdir() if home.is_dir() else ():
        if path.name not in names:
            shutil.rmtree(path, ignore_errors=True)


def _of_index(settings: Settings) -> Path:
    home = settings.query.views or cache_home() / "views"
    return home / _short(f"{settings.store.url} {settings.store.generation}")


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_LETTERS]
