"""Real articles as the engine takes them, for benchmarks that begin after the text stage."""

from collections.abc import Sequence

from streaming.engine.events import LoggedContent
from streaming.enrichment import Enricher
from streaming.filelog import LogRecord
from streaming.settings import Settings
from tests.newsfeed import messages


def records(count: int, begin_ms: int) -> list[LogRecord]:
    """Give articles of the corpora, shuffled, as a log that holds one per millisecond."""
    return [
        LogRecord("articles", 0, number, begin_ms + number, None, message.value, ())
        for number, message in enumerate(messages(count))
    ]


def enrich(settings: Settings, taken: Sequence[LogRecord]) -> list[LoggedContent]:
    """Enrich records; what is refused is left out."""
    answers = Enricher(settings).enrich(taken)
    return [each for each in answers if isinstance(each, LoggedContent)]
