"""Open the index that the settings name: its store, with a generation's tables."""

from streaming.errors import SettingsError
from streaming.settings import Settings
from streaming.store import generations
from streaming.store.contract import Store
from streaming.store.urls import absolute_url, open_store


def open_index(settings: Settings) -> Store:
    """Give the store of the configured generation; cheap after the first call in a process.

    Without a configured one it is the active one of this moment, which has to be asked for:
    whoever opens an index more than once passes `resolved` settings.
    """
    name = settings.store.generation or generations.read(open_catalogue(settings)).followed
    return open_generation(settings, name)


def open_generation(settings: Settings, name: str) -> Store:
    """Give the store of a generation, whichever is configured."""
    return open_store(absolute_url(settings.store.url), f"{name}_")


def open_catalogue(settings: Settings) -> Store:
    """Give the store of what lies beside all generations."""
    return open_store(absolute_url(settings.store.url))


def resolved(settings: Settings) -> Settings:
    """Name the generation that is meant: the configured one, or the active one of this moment."""
    if settings.store.generation is not None:
        return settings
    return with_generation(settings, generations.read(open_catalogue(settings)).followed)


def located(settings: Settings) -> Settings:
    """Name the store and its generation so that a worker finds the same one, wherever it is."""
    if settings.store.url.startswith("memory:"):
        raise SettingsError(
            "store.url: a memory store lives in one process, the query in several;"
            " write sqlite:PATH or hbase://HOST:PORT/PREFIX"
        )
    store = settings.store.model_copy(update={"url": absolute_url(settings.store.url)})
    return resolved(settings.model_copy(update={"store": store}))


def with_generation(settings: Settings, name: str) -> Settings:
    """Give these settings for another generation."""
    store = settings.store.model_copy(update={"generation": name})
    return settings.model_copy(update={"store": store})
