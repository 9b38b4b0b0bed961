"""What was checked and what came of it, on the terminal."""

from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table


@dataclass(slots=True)
class Checks:
    """Collects checks; a run is good if it made some and all of them hold."""

    console: Console
    _made: list[tuple[str, bool, str]] = field(default_factory=list)

    def check(self, what: str, holds: bool, detail: str = "") -> None:  # noqa: FBT001 - the subject
        """Note whether something holds, and say so at once if it does not."""
        self._made.append((what, holds, detail))
        if not holds:
            self.console.print(f"[red]does not hold[/red]: {what}; {detail}", highlight=False)

    @property
    def good(self) -> bool:
        """Whether everything holds."""
        return bool(self._made) and all(holds for _, holds, _ in self._made)

    def show(self) -> None:
        """Print all of them."""
        table = Table("", "check", "", box=None)
        for what, holds, detail in self._made:
            table.add_row("[green]holds[/green]" if holds else "[red]FAILS[/red]", what, detail)
        self.console.print(table)
