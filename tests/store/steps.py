"""What can be asked of a store, as data, and what the contract says to it in plain Python."""

from dataclasses import dataclass

from streaming.store.contract import Cells, Mutation, Store


@dataclass(frozen=True)
class Read:
    rows: tuple[bytes, ...]


@dataclass(frozen=True)
class Scan:
    start: bytes
    stop: bytes | None
    limit: int | None
    keys_only: bool


@dataclass(frozen=True)
class Compare:
    row: bytes
    qualifier: bytes
    expected: bytes | None
    value: bytes


@dataclass(frozen=True)
class Delete:
    rows: tuple[bytes, ...]


Step = list[Mutation] | Read | Scan | Compare | Delete


def run(store: Store, table: str, step: Step) -> object:
    """Ask it of a store; give the answer, with a scan's rows in a list."""
    match step:
        case list():
            store.mutate(table, step)
        case Read(rows):
            return store.rows(table, rows)
        case Scan(start, stop, limit, keys_only):
            return list(store.scan(table, start, stop, limit=limit, keys_only=keys_only))
        case Compare(row, qualifier, expected, value):
            return store.compare_and_put(table, row, qualifier, expected, value)
        case Delete(rows):
            store.delete_rows(table, rows)
    return None


def apply(model: dict[bytes, Cells], step: Step) -> object:
    """Do to a plain dict what the contract says of a step; give the answer."""
    answer = _apply(model, step)
    for row in [row for row, cells in model.items() if not cells]:
        del model[row]
    return answer


def _apply(model: dict[bytes, Cells], step: Step) -> object:
    match step:
        case list():
            for mutation in step:
                cells = model.setdefault(mutation.row, {})
                for qualifier in mutation.delete:
                    cells.pop(qualifier, None)
                cells.update(mutation.put)
        case Read(rows):
            return {row: dict(model[row]) for row in rows if row in model}
        case Scan(start, stop, limit, keys_only):
            between = sorted(r for r in model if r >= start and (stop is None or r < stop))
            return [(row, {} if keys_only else dict(model[row])) for row in between[:limit]]
        case Compare(row, qualifier, expected, value):
            current = model.get(row, {}).get(qualifier) or None
            if current == expected:
                model.setdefault(row, {})[qualifier] = value
            return current in (expected, value)
        case Delete(rows):
            for row in rows:
                model.pop(row, None)
    return None
