"""The servers of the compose file, started as their containers start them, on other ports."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from streaming.errors import LeitongError
from streaming.stack.jars import resolve
from streaming.stack.java import JAVA_OPTIONS
from streaming.stack.ports import free_ports, listening
from streaming.store.contract import Mutation, TableSpec
from streaming.store.urls import open_store
from streaming.topics import Topic, ensure_topic
from streaming.urls import KafkaUrl

COMPOSE = Path(__file__).parents[2] / "deploy" / "compose"
QUICK = "-XX:TieredStopAtLevel=1"


@contextmanager
def running(command: list[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    with (
        log.open("wb") as told,
        subprocess.Popen(
            command, stdout=told, stderr=told, env={**os.environ, **environment}
        ) as process,
    ):
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def wait_for(ports: list[int], process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 120
    while not all(map(listening, ports)):
        assert process.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < until, log.read_text()[-3000:]
        time.sleep(0.1)


def test_kafka_starts_with_its_settings(tmp_path: Path) -> None:
    inside, host, controller = free_ports(3)
    text = (COMPOSE / "kafka.properties").read_text()
    for name, port in ((":19092", inside), (":9092", host), (":9093", controller)):
        text = text.replace(name, f":{port}")
    # The name of the container, and what it binds: this machine is not the container.
    text = text.replace("INSIDE://kafka:", "INSIDE://127.0.0.1:").replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - replaced
    file = tmp_path / "kafka.properties"
    file.write_text(text.replace("/var/lib/kafka/data", str(tmp_path / "data")))
    java = ["java", QUICK, *JAVA_OPTIONS, "-cp", f"{resolve('kafka')}/*"]
    format_tool = ["kafka.tools.StorageTool", "format", "--standalone", "--ignore-formatted"]
    arguments = ["--cluster-id", "bGVpdG9uZy1jb21wb3NlMQ", "--config", str(file)]
    for _ in range(2):
        # The container does so at every start.
        told = subprocess.run(
            [*java, *format_tool, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert told.returncode == 0, told.stdout + told.stderr
    log = tmp_path / "log"
    with running([*java, "-Xmx512m", "kafka.Kafka", str(file)], log) as process:
        wait_for([inside, host], process, log)
        topic = created(KafkaUrl((f"127.0.0.1:{host}",), "articles"))
        assert (topic.created, topic.replication) == (True, 1)


def created(url: KafkaUrl) -> Topic:
    until = time.monotonic() + 60
    while True:
        try:
            return ensure_topic(url)
        except LeitongError:
            assert time.monotonic() < until
            time.sleep(0.2)


def test_hbase_and_both_thrift_servers_start_and_end_together(tmp_path: Path) -> None:
    zookeeper, master, region, thrift, admin = free_ports(5)
    text = (COMPOSE / "hbase" / "hbase-site.xml").read_text()
    ports = {"2181": zookeeper, "16000": master, "16020": region, "9090": thrift}
    for name, port in ports.items():
        text = text.replace(f"<value>{name}</value>", f"<value>{port}</value>")
    text = text.replace("/var/lib/hbase", str(tmp_path / "data")).replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - replaced
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "hbase-site.xml").write_text(text)
    stack = COMPOSE.parent / "stack" / "hbase"
    (conf / "log4j.properties").write_bytes((stack / "log4j.properties").read_bytes())
    log = tmp_path / "log"
    environment = {
        "HBASE_CONF_DIR": str(conf),
        "HBASE_JARS": str(resolve("hbase")),
        "HBASE_ADMIN_PORT": str(admin),
        "JAVA_TOOL_OPTIONS": QUICK,
    }
    command = ["bash", str(COMPOSE / "hbase" / "start.sh")]
    with running(command, log, **environment) as process:
        wait_for([thrift, admin], process, log)
        store = open_store(
            f"hbase://127.0.0.1:{thrift}/c?regions=2&admin=127.0.0.1:{admin}&deadline=90s",
            f"t{uuid4().hex[:6]}_",
        )
        spec = TableSpec("things")
        until = time.monotonic() + 60
        while True:
            try:
                store.ensure_tables([spec])
                break
            except LeitongError:
                assert time.monotonic() < until, log.read_text()[-3000:]
        store.mutate("things", [Mutation(b"r", {b"q": b"1"})])
        assert store.rows("things", [b"r"]) == {b"r": {b"q": b"1"}}
        store.close()
    assert not any(map(listening, (zookeeper, thrift, admin)))
