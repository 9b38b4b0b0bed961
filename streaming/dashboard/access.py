"""Who may look at the dashboard from where."""

from pathlib import Path

from streaming.errors import SettingsError
from streaming.secretfiles import read_secret
from streaming.serving import Address, check_guarded

TOKEN_VARIABLE = "LEITONG_DASHBOARD_TOKEN"  # noqa: S105 - the name of it, not a token
_SHORTEST_TOKEN = 16


def read_token(file: Path | None) -> str | None:
    """Read the token from a file or from the environment; None if there is none.

    SettingsError if it can be guessed.
    """
    token = read_secret(file, TOKEN_VARIABLE)
    if token and len(token) < _SHORTEST_TOKEN:
        raise SettingsError(f"the token is shorter than {_SHORTEST_TOKEN} characters")
    return token or None


def check_address(address: Address, token: str | None) -> None:
    """Make sure that nobody elsewhere can look without a token; SettingsError otherwise."""
    check_guarded(
        address,
        token,
        f"a token is needed: --token-file FILE, or {TOKEN_VARIABLE} in the environment",
    )
