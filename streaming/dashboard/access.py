"""Who may look at the dashboard from where."""

import os
from pathlib import Path

from streaming.errors import SettingsError
from streaming.serving import Address

TOKEN_VARIABLE = "LEITONG_DASHBOARD_TOKEN"  # noqa: S105 - the name of it, not a token
_SHORTEST_TOKEN = 16


def read_token(file: Path | None) -> str | None:
    """Read the token from a file or from the environment; None if there is none.

    SettingsError if it can be guessed.
    """
    if file is not None:
        try:
            token = file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(f"{file}: {error.strerror}") from None
    else:
        token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if token and len(token) < _SHORTEST_TOKEN:
        raise SettingsError(f"the token is shorter than {_SHORTEST_TOKEN} characters")
    if file is not None and not token:
        raise SettingsError(f"{file} is empty; it has to hold the token")
    return token or None


def check_address(address: Address, token: str | None) -> None:
    """Make sure that nobody elsewhere can look without a token; SettingsError otherwise."""
    if not address.is_loopback and token is None:
        raise SettingsError(
            f"{address} can be reached from other machines, so a token is needed: --token-file"
            f" FILE, or {TOKEN_VARIABLE} in the environment"
        )
