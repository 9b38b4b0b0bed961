"""Creating, checking and dropping HBase tables.

HBase's Thrift 1 interface, which everything else uses, can neither split a new table nor
choose a block encoding. So tables are made through the Thrift 2 service (``hbase thrift2
start``; any small one will do, it is needed for nothing else), or by an operator who runs
what `hbase_layout.ddl` writes in the HBase shell.
"""

import io
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any, Literal, TypeVar

import thriftpy2

from streaming.errors import StoreError, StoreUnavailable
from streaming.store.contract import TableSpec, check_same, unknown_table
from streaming.store.hbase_connection import (
    Caller,
    RefusedError,
    ThriftSettings,
    thrift1,
)
from streaming.store.hbase_layout import COMPRESSIONS, DEFAULT_REGIONS, Layout, layout
from streaming.store.sockets import Endpoint
from streaming.store.statistics import OperationStatistics, Recorder

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

_PROBE_SECONDS = 3.0
# A master that is busy takes its time for a table.
_CREATE_TIMEOUT_SECONDS = 60.0
_CREATE_DEADLINE_SECONDS = 180.0
# A master takes about a second for a table, and several at once.
_THREADS = 6
_FOREVER = 2**31 - 1  # seconds: what HBase takes for a time to live without an end

_EXISTS = ("TableExistsException", "AlreadyExists")

_CURES = {
    "TableNotEnabledException": "somebody disabled the table: `enable` it in the HBase shell",
    "NoSuchColumnFamilyException": "the table is not one of Leitong's: choose another prefix",
    "NamespaceNotFoundException": "`create_namespace` it in the HBase shell",
    "AccessDeniedException": "grant the Thrift server's user RWC on it in the HBase shell",
    "sanity.checks": "choose ?compression=gz or none",
    "KeyValue size too large": "raise hbase.client.keyvalue.maxsize at the Thrift server",
    "HTTP 401": "its Thrift server wants Kerberos, which Leitong does not speak",
    "another Thrift service": "name the port of `hbase thrift start`",
}


@cache
def _thrift2() -> Any:
    """Load the Thrift 2 service; what only reads and writes rows starts faster without it."""
    text = (resources.files("streaming.store") / "hbase_admin.thrift").read_text()
    return thriftpy2.load_fp(io.StringIO(text), "leitong_hbase_admin_thrift")


@dataclass(frozen=True, slots=True)
class HBaseSettings:
    """Where HBase is and how new tables are made.

    ``admin`` is a Thrift 2 service; by default one on the port after a Thrift 1 service's;
    "none" makes tables through Thrift 1: one region, no block encoding. ``compression`` None is
    the first of `COMPRESSIONS` that the server has.
    """

    thrift: ThriftSettings
    prefix: str
    namespace: str = ""
    regions: int = DEFAULT_REGIONS
    compression: str | None = None
    admin: Endpoint | Literal["none"] | None = None

    def __str__(self) -> str:
        return f"hbase://{','.join(map(str, self.thrift.endpoints))}/{self.prefix}"


class Tables:
    """The tables of one prefix by their names in HBase, and how calls about them fail.

    ``caller`` speaks Thrift 1.
    """

    def __init__(
        self, settings: HBaseSettings, tables_prefix: str, caller: Caller, recorder: Recorder
    ) -> None:
        self._settings = settings
        self._where = str(settings)
        self._prefix = f"{settings.prefix}_{tables_prefix}"
        self._caller = caller
        self._recorder = recorder

    def physical(self, table: str) -> str:
        """Name a table as HBase knows it."""
        namespace = self._settings.namespace
        return f"{namespace}:{self._prefix}{table}" if namespace else self._prefix + table

    def call(
        self,
        operation: str,
        table: str,
        request: Callable[[Any, int], Answer],
        statistics: OperationStatistics,
    ) -> Answer:
        """Make a `Caller.call` about a table; what the server refuses becomes a StoreError."""
        name = self.physical(table)

        def diagnosed(client: Any, attempt: int) -> Answer:
            try:
                return request(client, attempt)
            except thrift1.IOError as error:
                # HBase does not always say that it is the table that is missing.
                if name.encode() not in client.getTableNames():
                    raise RefusedError("TableNotFoundException") from error
                raise

        try:
            return self._caller.call(operation, diagnosed, statistics)
        except RefusedError as error:
            raise self._explain(error, name) from error

    def existing(self, deadline: float | None = None) -> set[str]:
        """Give all names of tables on the server; ``deadline`` as in `Caller.call`."""
        with self._recorder.request("list_tables") as request:
            try:
                names = self._caller.call(
                    "list_tables", lambda client, _: client.getTableNames(), request, deadline
                )
            except RefusedError as error:
                raise self._explain(error, self.physical("")) from error
        return {name.decode() for name in names}

    def families(self, table: str) -> dict[str, Any]:
        """Describe the column families of a table, as far as Thrift 1 can."""
        name = self.physical(table).encode()
        with self._recorder.request("describe_table") as request:
            found = self.call(
                "describe_table",
                table,
                lambda client, _: client.getColumnDescriptors(name),
                request,
            )
        return {family.decode().rstrip(":"): described for family, described in found.items()}

    def check(self, spec: TableSpec) -> None:
        """Raise StoreError if a table has another family or number of versions."""
        families = self.families(spec.name)
        lifetimes = [family.timeToLive for family in families.values()]
        found = TableSpec(
            self.physical(spec.name),
            family="+".join(sorted(families)),
            max_versions=max((family.maxVersions for family in families.values()), default=0),
            ttl=min((ttl for ttl in lifetimes if 0 < ttl < _FOREVER), default=None),
        )
        check_same(found, spec, self._where)

    def create(self, specs: Sequence[TableSpec]) -> None:
        """Create tables as `hbase_layout.layout` says, or plainly if there shall be no admin."""
        settings = self._settings
        if settings.admin == "none":
            logger.warning(
                "%s: tables are made through Thrift 1: one region each, no block encoding",
                self._where,
            )
            _at_once(lambda spec: self._create(spec, self._create_plainly), specs)
            return
        beside = (Endpoint(each.host, each.port + 1) for each in settings.thrift.endpoints)
        endpoints = (settings.admin,) if settings.admin else tuple(beside)
        admin = Thrift2Admin(endpoints, settings.thrift, self._where)
        try:
            admin.check()
            _at_once(lambda spec: self._create(spec, admin.create), specs)
        finally:
            admin.close()

    def _create(self, spec: TableSpec, make: Callable[[str, Layout], None]) -> None:
        """Create a table with the first compression that the server has."""
        chosen = self._settings.compression
        name = self.physical(spec.name)
        left = list(COMPRESSIONS if chosen is None else (chosen,))
        made = False
        while not made:
            wanted = layout(spec, self._settings.regions, left.pop(0))
            try:
                with self._recorder.request("create_table", 1):
                    make(name, wanted)
                made = True
            except RefusedError as error:
                if any(word in str(error) for word in _EXISTS):
                    # Another process was faster, or an attempt of ours whose answer was lost.
                    made = True
                elif not left or "sanity.checks" not in str(error):
                    raise self._explain(error, name) from error

    def _create_plainly(self, name: str, made: Layout) -> None:
        family = thrift1.ColumnDescriptor(
            name=made.family.encode() + b":",
            maxVersions=int(made.attributes["VERSIONS"]),
            compression=made.attributes["COMPRESSION"],
            bloomFilterType=made.attributes["BLOOMFILTER"],
            blockCacheEnabled=made.attributes.get("BLOCKCACHE") != "false",
            timeToLive=int(made.attributes.get("TTL", _FOREVER)),
        )
        self._caller.call(
            "create_table",
            lambda client, _: client.createTable(name.encode(), [family]),
            OperationStatistics(),
        )

    def drop(self, specs: Sequence[TableSpec]) -> None:
        """Drop tables; those that do not exist are ignored."""
        _at_once(self._drop, specs)

    def _drop(self, spec: TableSpec) -> None:
        name = self.physical(spec.name).encode()

        def drop(client: Any, _: int) -> None:
            if name not in client.getTableNames():
                return
            if client.isTableEnabled(name):
                client.disableTable(name)
            client.deleteTable(name)

        with self._recorder.request("drop_table", 1) as request:
            self.call("drop_table", spec.name, drop, request)

    def _explain(self, error: RefusedError, name: str) -> StoreError:
        text = str(error)
        if "TableNotFoundException" in text:
            return unknown_table(name, self._where)
        cure = next((cure for sign, cure in _CURES.items() if sign in text), "see HBase's log")
        return StoreError(f"{self._where}: HBase refused it for table {name!r}: {text}; {cure}")


def _at_once(act: Callable[[TableSpec], None], specs: Sequence[TableSpec]) -> None:
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(act, specs))


class Thrift2Admin:
    """Creates and describes tables through a Thrift 2 service."""

    def __init__(
        self, endpoints: tuple[Endpoint, ...], settings: ThriftSettings, where: str
    ) -> None:
        self._endpoints = endpoints
        self._where = where
        patient = replace(
            settings,
            endpoints=endpoints,
            timeout=max(settings.timeout, _CREATE_TIMEOUT_SECONDS),
            deadline=max(settings.deadline, _CREATE_DEADLINE_SECONDS),
        )
        self._caller = Caller(_thrift2().THBaseService, patient, where)

    def check(self) -> None:
        """Raise StoreError with every cure if no Thrift 2 service answers."""
        try:
            self._describe("hbase:meta", deadline=_PROBE_SECONDS)
        except (StoreUnavailable, RefusedError) as error:
            raise StoreError(
                f"{self._where}: tables are missing, and HBase's Thrift 1 service cannot make them "
                "with regions and encodings; they are made through a Thrift 2 service, and none "
                f"answers at {' or '.join(map(str, self._endpoints))}. Start one there (`hbase "
                f"thrift2 start -p {self._endpoints[0].port}`), or name one with "
                "?admin=HOST:PORT, or run deploy/hbase/tables.rb in the HBase shell, or, for a "
                "trial, take one plain region per table with ?admin=none"
            ) from error

    def create(self, name: str, made: Layout) -> None:
        """Create a table, and return when its regions are there. Raises `RefusedError`."""
        family = _thrift2().TColumnFamilyDescriptor(
            name=made.family.encode(),
            attributes={k.encode(): v.encode() for k, v in made.attributes.items()},
        )
        table = _thrift2().TTableDescriptor(tableName=_table_name(name), columns=[family])
        self._caller.call(
            "create_table",
            lambda client, _: client.createTable(table, list(made.splits)),
            OperationStatistics(),
        )

    def attributes(self, name: str) -> dict[str, dict[str, str]]:
        """Give the attributes of each family of a table, in the words of HBase's shell."""
        return {
            family.name.decode(): {
                k.decode(): v.decode(errors="replace") for k, v in family.attributes.items()
            }
            for family in self._describe(name).columns
        }

    def _describe(self, name: str, deadline: float | None = None) -> Any:
        return self._caller.call(
            "describe_table",
            lambda client, _: client.getTableDescriptor(_table_name(name)),
            OperationStatistics(),
            deadline,
        )

    def close(self) -> None:
        """Close idle connections."""
        self._caller.close()


def _table_name(name: str) -> Any:
    namespace, _, qualifier = name.rpartition(":")
    return _thrift2().TTableName(ns=(namespace or "default").encode(), qualifier=qualifier.encode())
