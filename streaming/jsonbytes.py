"""Read JSON that strangers wrote: any bytes give a value or a reason."""

from typing import Any

import orjson

from streaming.reasons import DETAIL_LIMIT, Reason, Rejected


def read_json(content: bytes, path: str) -> Any | Rejected:
    """Return the JSON value of some bytes, or why there is none; never raises.

    `path` says in the detail where the bytes stand. What nests more than some 1 000 levels
    deep is refused and not followed.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        return _unreadable(content, path, error)


def _unreadable(content: bytes, path: str, error: orjson.JSONDecodeError) -> Rejected:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as undecodable:
        return Rejected(Reason.NOT_UTF8, f"{path}: byte {undecodable.start} is not UTF-8")
    place = f"{path}: line {error.lineno} column {error.colno}"
    if "depth" in error.msg or "recursion" in error.msg.lower():
        return Rejected(Reason.TOO_DEEP, f"{place}: nests too deep")
    return Rejected(Reason.NOT_JSON, f"{place}: {error.msg}"[:DETAIL_LIMIT])
