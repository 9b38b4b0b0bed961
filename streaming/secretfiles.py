"""Read what few may know from files, or from the environment."""

import os
from pathlib import Path

from streaming.errors import SettingsError


def read_secret(file: Path | None, variable: str) -> str:
    """Read what few may know from a file, or else from the environment; "" if it is nowhere.

    SettingsError if the file cannot be read or holds nothing.
    """
    return os.environ.get(variable, "").strip() if file is None else read_secret_file(file)


def read_secret_file(file: Path) -> str:
    """Read a file without the blanks around what it holds; SettingsError as `read_secret`."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise SettingsError(f"{file}: cannot be read: it is not UTF-8") from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file}: cannot be read ({error})") from None
    if not text:
        raise SettingsError(f"{file} is empty: it has to hold the secret")
    return text
