"""Traditional characters to simplified ones, so that one text in both scripts is one text."""

import re
from functools import cached_property
from typing import Any

import opencc

_IDEOGRAPHS = (range(0x3400, 0x4DC0), range(0x4E00, 0xA000))


class Simplifier:
    """Writes traditional Chinese in simplified characters; other text is returned as it is.

    The words are those of the text: ``軟體`` becomes ``软体``, not the ``软件`` of the mainland.
    Texts that mix both scripts are converted as well. Construction is cheap.
    """

    def simplify(self, text: str) -> str:
        """Give the text in simplified characters; of the same length."""
        if not self._traditional.search(text):
            return text
        converted: str = self._converter.convert(text)
        return converted

    @cached_property
    def _converter(self) -> Any:
        return opencc.OpenCC("t2s")

    @cached_property
    def _traditional(self) -> re.Pattern[str]:
        """Finds characters that are written otherwise in simplified Chinese."""
        known = [chr(code) for block in _IDEOGRAPHS for code in block]
        simplified = self._converter.convert("\n".join(known)).split("\n")
        others = (one for one, other in zip(known, simplified, strict=True) if one != other)
        return re.compile(f"[{''.join(others)}]")
