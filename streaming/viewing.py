"""Where a host keeps the views that it ranks articles against."""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from streaming.keeping import cache_home
from streaming.settings import Settings
from streaming.store.models import Log

_LETTERS = 16


def view_directory(settings: Settings, model: str, log: Log, scope: str) -> Path:
    """Give the directory of a scope's view under a model with such a log.

    A log that is being filled gets rows before those that a view has read; once it is
    filled, views of it are made anew. The settings must name the generation, and its store
    so that every process finds it.
    """
    return _of_index(settings) / _name(model, log) / _short(scope)


def drop_views(settings: Settings, kept: Mapping[str, Log]) -> None:
    """Remove this host's views of other models than these, or of other logs of them."""
    names = {_name(model, log) for model, log in kept.items()}
    home = _of_index(settings)
    for path in home.iterdir() if home.is_dir() else ():
        if path.name not in names:
            shutil.rmtree(path, ignore_errors=True)


def _of_index(settings: Settings) -> Path:
    home = settings.query.views or cache_home() / "views"
    return home / _short(f"{settings.store.url} {settings.store.generation}")


def _name(model: str, log: Log) -> str:
    return f"{model}-{log.since.hex()}{'' if log.filled else '-filling'}"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_LETTERS]
