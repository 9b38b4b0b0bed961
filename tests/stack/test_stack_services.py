import socket
import threading
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from streaming.stack.hbase import Admin, HBase, Thrift
from streaming.stack.kafka import Kafka
from streaming.stack.ports import LOOPBACK, listening
from streaming.stack.settings import InnerPorts, Options, Ports, StackError
from streaming.stack.stack import LocalStack

PORTS = Ports(kafka=1001, thrift=1002, zookeeper=1003)
INNER = InnerPorts(controller=1004, master=1005, regionserver=1006)


def hbase_site(directory: Path, name: str = "conf") -> dict[str | None, str | None]:
    root = ET.parse(directory / name / "hbase-site.xml").getroot()  # noqa: S314 - our own file
    return {item.findtext("name"): item.findtext("value") for item in root}


def server_properties(directory: Path) -> dict[str, str]:
    lines = (directory / "server.properties").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_kafka_listens_on_the_given_ports_of_loopback(tmp_path: Path) -> None:
    Kafka(tmp_path, PORTS, INNER, Options()).render_configuration()
    found = server_properties(tmp_path)
    assert found["listeners"] == "CLIENT://127.0.0.1:1001,CONTROLLER://127.0.0.1:1004"
    assert found["advertised.listeners"] == found["listeners"]
    assert found["log.dirs"] == str(tmp_path / "data")
    assert found["auto.create.topics.enable"] == "false"
    assert int(found["message.max.bytes"]) == 16 << 20
    assert "$" not in "".join(found.values())


def test_hbase_listens_on_the_given_ports_of_loopback(tmp_path: Path) -> None:
    directory = tmp_path / "a & <b>"
    options = Options(thrift_framed=True, thrift_idle_seconds=1.5)
    HBase(directory, PORTS, INNER, options).prepare("java", tmp_path)
    found = hbase_site(directory)
    assert found["hbase.rootdir"] == f"file://{directory}/data/hbase"
    assert found["hbase.zookeeper.property.clientPort"] == "1003"
    assert found["hbase.regionserver.thrift.port"] == "1002"
    assert (found["hbase.master.port"], found["hbase.regionserver.port"]) == ("1005", "1006")
    assert found["hbase.regionserver.thrift.framed"] == "true"
    assert found["hbase.regionserver.thrift.compact"] == "false"
    assert found["hbase.thrift.server.socket.read.timeout"] == "1500"
    for name in ("master.info", "regionserver.info", "thrift.info"):
        assert found[f"hbase.{name}.port"] == "-1"


def test_the_admin_server_differs_in_its_port_and_its_fixed_protocol_only(tmp_path: Path) -> None:
    options = Options(thrift_framed=True, thrift_compact=True)
    for service in (Thrift, Admin):
        service(tmp_path, PORTS, INNER, options).prepare("java", tmp_path)
    thrift, admin = hbase_site(tmp_path), hbase_site(tmp_path, "conf-admin")
    assert thrift.keys() == admin.keys()
    assert {name: admin[name] for name in thrift if admin[name] != thrift[name]} == {
        "hbase.regionserver.thrift.port": "1003",
        "hbase.regionserver.thrift.framed": "false",
        "hbase.regionserver.thrift.compact": "false",
    }
    assert admin["hbase.regionserver.thrift.ipaddress"] == "127.0.0.1"
    command = Admin(tmp_path, PORTS, INNER, options).command("java", tmp_path / "jars")
    assert command[command.index("-cp") + 1] == f"{tmp_path}/conf-admin:{tmp_path}/jars/*"
    assert (tmp_path / "conf-admin" / "log4j.properties").is_file()


def test_memory_and_java_options_reach_the_command(tmp_path: Path) -> None:
    options = Options(kafka_heap="1m", hbase_heap="2m", thrift_heap="3m", java_options=("-ea",))
    services: tuple[Kafka | HBase | Thrift | Admin, ...] = (
        Kafka(tmp_path, PORTS, INNER, options),
        HBase(tmp_path, PORTS, INNER, options),
        Thrift(tmp_path, PORTS, INNER, options),
        Admin(tmp_path, PORTS, INNER, options),
    )
    heaps = ("-Xmx1m", "-Xmx2m", "-Xmx3m", "-Xmx96m")
    for service, heap in zip(services, heaps, strict=True):
        command = service.command("/bin/java", tmp_path / "jars")
        assert command[0] == "/bin/java"
        assert {heap, "-ea", "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED"} <= set(command)
        assert f"{tmp_path / 'jars'}/*" in command[command.index("-cp") + 1]


def test_services_that_do_not_run_say_what_is_missing(tmp_path: Path) -> None:
    ports = LocalStack.free_ports()
    log = tmp_path / "log"
    log.write_text("INFO HMaster: STARTING service HMaster\n")
    for service in (
        Kafka(tmp_path, ports, INNER, Options()),
        HBase(tmp_path, ports, INNER, Options()),
        Thrift(tmp_path, ports, INNER, Options()),
        Admin(tmp_path, ports, INNER, Options()),
    ):
        assert service.unready(log)


def test_a_server_that_is_no_thrift_2_server_is_not_taken_for_one(tmp_path: Path) -> None:
    ports = LocalStack.free_ports()

    def hang_up() -> None:
        with socket.create_server((LOOPBACK, ports.admin)) as server:
            ready.set()
            while not done.is_set():
                server.accept()[0].close()

    ready, done = threading.Event(), threading.Event()
    stranger = threading.Thread(target=hang_up, daemon=True)
    stranger.start()
    assert ready.wait(10)
    lacking = Admin(tmp_path, ports, INNER, Options()).unready(tmp_path / "log")
    done.set()
    listening(ports.admin)
    stranger.join(10)
    assert lacking is not None
    assert lacking.startswith("HBase does not describe tables yet: the Thrift 2 server")


def test_a_directory_kafka_would_cut_in_two_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="comma"):
        LocalStack(tmp_path / "a,b")
