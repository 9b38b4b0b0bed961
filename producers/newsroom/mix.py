"""How often each kind of event occurs."""

from dataclasses import astuple, dataclass, fields

from streaming.errors import SettingsError

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Mix:
    """Rates per kind, as shares of the events drawn; what they leave over are originals.

    A rate says what is *asked* for: when no recent article suits an edit (the first minutes,
    a text without figures), an original takes its place. ``viral`` is the share of events that
    start a burst; the 20 to 200 copies of a burst come on top of ``per_hour``.

    Raises ``SettingsError`` for a rate outside 0..1 or a sum over 1.
    """

    related: float = 0.04
    """Another report of an earlier event: same names and topic, its own words."""
    flash: float = 0.05
    """One headline of 15 to 50 characters, with an empty body or the headline as its body."""
    html: float = 0.04
    """An original whose body is HTML."""
    late: float = 0.01
    """An original that arrives 30 minutes to 3 days after it was published."""
    verbatim: float = 0.05
    """The same title and body under another id."""
    byline: float = 0.06
    """The whole text with bylines above and footers below."""
    punctuation: float = 0.03
    """The same text in other widths, quotes and spacing."""
    markup: float = 0.02
    """The same text as HTML with entities."""
    cut_lead: float = 0.02
    """Without its first sentences, at most a quarter of the text."""
    reordered: float = 0.01
    """The same paragraphs in another order."""
    replaced_01: float = 0.015
    """1 % of the words replaced."""
    replaced_05: float = 0.015
    """5 % of the words replaced."""
    replaced_10: float = 0.01
    """10 % of the words replaced."""
    replaced_20: float = 0.005
    """20 % of the words replaced."""
    excerpt: float = 0.03
    """A run of sentences, a fifth to a half of the text: contained in its origin."""
    renumbered: float = 0.02
    """Every figure changed: the same form, not a duplicate."""
    template: float = 0.05
    """The next issue of a form (weather, markets, notices): not a duplicate either."""
    viral: float = 0.0003
    """Starts a burst: one story reposted 20 to 200 times within minutes, everywhere."""
    repeated: float = 0.01
    """An earlier event again: the same bytes, or the same content written differently.

    It may be older than an update or withdrawal of its article, and undo it.
    """
    malformed: float = 0.004
    """An event that has to be refused; the truth names the reason."""
    updated: float = 0.0
    """An earlier article again under its id, with a paragraph more."""
    deleted: float = 0.0
    """An earlier article withdrawn, by an event or by a tombstone."""

    def __post_init__(self) -> None:
        """Refuse rates that are none."""
        for field in fields(self):
            rate = getattr(self, field.name)
            if not 0 <= rate <= 1:
                message = f"newsroom mix: {field.name} = {rate} is no rate; give 0 to 1"
                raise SettingsError(message)
        total = sum(astuple(self))
        if total > 1 + _ROUNDING:
            message = f"newsroom mix: the rates add up to {total:.4f}; make them 1 at most"
            raise SettingsError(message)

    def thresholds(self) -> tuple[tuple[float, str], ...]:
        """Return (upper end, kind) in order; a uniform draw above all of them is an original."""
        ends: list[tuple[float, str]] = []
        total = 0.0
        for field in fields(self):
            total += getattr(self, field.name)
            ends.append((total, field.name))
        return tuple(ends)
