"""``leitong replay --vectors-only``: lists for what was judged before a model was chosen."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

from pyspark.sql import SparkSession

from streaming.errors import LeaseHeld, ModelsError, SettingsError
from streaming.query.batch import BatchProcessor
from streaming.query.filling import fill
from streaming.query.in_force import Chosen, name_of
from streaming.query.keeper import LeaseKeeper
from streaming.query.session import open_session
from streaming.settings import Settings
from streaming.similar.models import Handle
from streaming.similar.registry import Registry
from streaming.store import models, ownership
from streaming.store.contract import Store
from streaming.store.lease import Lease
from streaming.store.opening import located, open_index
from streaming.store.tables import TABLES

_NOTICED_SECONDS = 120
_POLL_SECONDS = 1.0

Say = Callable[[str], None]


def replay_vectors(settings: Settings, say: Say) -> str:
    """Describe and rank the articles that a chosen version does not know; says what was done.

    Beside a query that runs with the same models it fills in what is missing, and waits
    until the query has ranked it; otherwise it does both. Raises SettingsError if there is
    no index or no version to use. May be broken off and repeated.
    """
    settings = located(settings)
    if settings.query.models is None:
        raise SettingsError("no models: name them with --models, or set query.models")
    handle = Registry(settings.query.models).handle()
    store = open_index(settings)
    if store.missing_tables(TABLES) or ownership.read_stamp(store) is None:
        raise SettingsError("there is nothing in the index yet: leitong run fills it")
    name = name_of(handle)
    with ExitStack() as stack:
        owner = stack.enter_context(_ownership(settings, store))
        if owner is not None:
            Chosen(settings).in_force(store)
        else:
            _wait(lambda: name in models.read(store).logs, f"the query to use {name}", say)
        known = models.read(store)
        if known.logs[name].filled and known.followed == name:
            return f"the lists under {name} have everything already"
        spark = open_session(settings, computes=False)
        stack.callback(spark.stop)
        done = _fill(spark, settings, store, name, handle, say)
        if owner is None:
            say(f"{done}; the query ranks them")
            while models.read(store).followed != name:
                time.sleep(_POLL_SECONDS)
        else:
            with closing(BatchProcessor(settings, owner)) as processor:
                while processor.catch_up(spark):
                    say(f"{done}; ranking them")
    return f"{done} and ranked; readers follow the lists under {name}"


def _fill(
    spark: SparkSession, settings: Settings, store: Store, name: str, handle: Handle, say: Say
) -> str:
    log = models.read(store).logs[name]
    described = found = 0
    if not log.filled:
        described, found = fill(
            spark,
            settings,
            name,
            handle,
            log.since,
            lambda done, parts, articles: say(
                f"{articles:,} articles described, {done * 100 // parts} % of the index"
            ),
        )
        models.fill(store, name, log.since)
    missing = f" ({found - described:,} have no text any more)" if found > described else ""
    return f"{described:,} articles described under {name}{missing}"


@contextmanager
def _ownership(settings: Settings, store: Store) -> Iterator[str | None]:
    """Own the index meanwhile; gives None if a query does."""
    seconds = settings.query.lease / 1000
    if not seconds:
        raise SettingsError("query.lease is 0: articles are ranked by whoever owns the index")
    lease = Lease(store, seconds)
    with ExitStack() as stack:
        owner = None
        with suppress(LeaseHeld):
            stack.enter_context(LeaseKeeper(lease, seconds))
            owner = lease.owner
        yield owner


def _wait(ready: Callable[[], bool], what: str, say: Say) -> None:
    until = time.monotonic() + _NOTICED_SECONDS
    while not ready():
        if time.monotonic() > until:
            raise ModelsError(
                f"waited in vain for {what}: does it run with the same --models, and has it a"
                " batch in hand that takes so long?"
            )
        say(f"waiting for {what}")
        time.sleep(_POLL_SECONDS)
