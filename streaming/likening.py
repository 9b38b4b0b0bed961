"""Which articles a draft would be like if it were published now: the beginning of its list.

A list has later articles, too; a draft is the latest of all, or it edits one that stands
where it stood.
"""

from dataclasses import replace

from streaming.checking import Answer, Similar
from streaming.errors import ModelsError
from streaming.followed import open_followed, open_view
from streaming.position import timestamp_ms
from streaming.settings import Settings
from streaming.similar.scoring import ONE
from streaming.store import articles
from streaming.store.contract import Store
from streaming.text.pipeline import TextPipeline
from streaming.texts import current_texts


def with_similar(answer: Answer, settings: Settings, store: Store, url: str) -> Answer:
    """Give the answer with the articles that are like its draft, under the models at ``url``.

    Nothing is written to the store. ModelsError if there are no lists yet, if the models are
    not those that readers follow, or if the draft names no channel where articles are
    ranked within theirs. The settings must name the generation.
    """
    draft, followed = answer.draft, open_followed(store, url)
    ranking = followed.models.ranking
    if draft.channel is None and ranking.scope == "channel":
        raise ModelsError(
            "the draft has no channel, and articles are ranked within theirs: name it with"
            " --channel"
        )
    pipeline = TextPipeline(settings.text)
    title, body = (pipeline.words(part, normalised=True) for part in draft.text)
    (description,) = followed.models.describe([(draft.content.channel, title, body)])
    published_ms = draft.content.published_ms
    if published_ms is None:
        published_ms = timestamp_ms(answer.first)
    scope = ranking.scope_of(draft.content.channel)
    with open_view(settings, store, followed, scope) as view:
        near = view.best_for(description, answer.first, published_ms, draft.article)
    texts = current_texts(store, articles.read(store, [name for name, _ in near]))
    titles = {name: text.title for name, text in texts.items()}
    found = tuple((name, points / ONE, titles.get(name)) for name, points in near)
    return replace(answer, similar=Similar(followed.name, found))
