"""Open the index that the settings name: its store, with a generation's tables."""

from streaming.settings import Settings
from streaming.store.contract import Store
from streaming.store.urls import absolute_url, open_store


def open_index(settings: Settings) -> Store:
    """Give the store of the configured generation; cheap after the first call in a process."""
    return open_store(absolute_url(settings.store.url), f"{settings.store.generation}_")
