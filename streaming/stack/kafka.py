"""A Kafka broker in KRaft mode: one node that is its own controller."""

import base64
import subprocess
import uuid
from pathlib import Path
from typing import Final

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from streaming.kafkaclient import connected
from streaming.stack.jars import JarSet
from streaming.stack.java import JAVA_OPTIONS
from streaming.stack.ports import LOOPBACK, listening
from streaming.stack.service import render
from streaming.stack.settings import InnerPorts, Options, Ports, StackError

_FORMAT_SECONDS = 120
_ANSWER_MS = 3_000


class Kafka:
    """The broker, its configuration and data under `directory`."""

    name: Final = "kafka"
    jar_set: JarSet = "kafka"

    def __init__(self, directory: Path, ports: Ports, inner: InnerPorts, options: Options) -> None:
        self.directory = directory
        self.port = ports.kafka
        self.controller_port = inner.controller
        self.options = options

    @property
    def ports(self) -> tuple[int, ...]:
        """The clients' port, then the controller's."""
        return (self.port, self.controller_port)

    def prepare(self, java: str, jars: Path) -> None:
        """Write the configuration and, the first time, format the data directory."""
        self.render_configuration()
        formatted = self.directory / "formatted"
        if formatted.exists():
            return
        # Kept before it is used: a format that was interrupted goes on under the same identity.
        identity = self.directory / "cluster-id"
        if not identity.exists():
            identity.write_text(base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))
        tool = ["kafka.tools.StorageTool", "format", "--standalone", "--ignore-formatted"]
        # In one word: one in 64 identities begins with a dash.
        tool += [f"--cluster-id={identity.read_text()}", "--config", str(self._configuration)]
        command = [*self._java(java, jars), "-XX:TieredStopAtLevel=1", *tool]
        answer = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_FORMAT_SECONDS
        )
        if answer.returncode != 0:
            told = (answer.stdout + answer.stderr).strip()[-2000:]
            raise StackError(
                f"kafka: {self.directory / 'data'} could not be formatted:\n{told}\n"
                "`leitong stack down --erase` starts again from nothing."
            )
        formatted.touch()

    def render_configuration(self) -> None:
        """Write server.properties and the logging configuration."""
        # Backslashes are escapes in a properties file.
        data = str(self.directory / "data").replace("\\", "\\\\")
        values = {
            "port": str(self.port),
            "controller_port": str(self.controller_port),
            "data": data,
        }
        render("kafka", "server.properties", self._configuration, values)
        render("kafka", "log4j2.properties", self.directory / "log4j2.properties", None)

    def command(self, java: str, jars: Path) -> list[str]:
        """Return the command of the broker."""
        memory = [f"-Xmx{self.options.kafka_heap}", "-Xms64m", *self.options.java_options]
        return [*self._java(java, jars), *memory, "kafka.Kafka", str(self._configuration)]

    def unready(self, log: Path) -> str | None:  # noqa: ARG002 - the broker is asked, not its log
        """Ask for the cluster's metadata: a broker must be in it and a controller chosen."""
        if not listening(self.port):
            return f"nothing listens on port {self.port} yet"
        try:
            admin = connected(
                KafkaAdminClient,
                {
                    "bootstrap_servers": f"{LOOPBACK}:{self.port}",
                    "request_timeout_ms": _ANSWER_MS,
                    "bootstrap_timeout_ms": _ANSWER_MS,
                },
            )
        except (KafkaError, OSError) as error:
            return f"the broker does not answer: {error}"
        try:
            cluster = admin.describe_cluster()
        except (KafkaError, OSError) as error:
            return f"the broker does not answer: {error}"
        finally:
            admin.close()
        ours = [broker for broker in cluster["brokers"] if broker["port"] == self.port]
        return None if ours and cluster["controller_id"] >= 0 else "no broker is registered yet"

    @property
    def _configuration(self) -> Path:
        return self.directory / "server.properties"

    def _java(self, java: str, jars: Path) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={self.directory / 'log4j2.properties'}"
        return [java, *JAVA_OPTIONS, logging, "-cp", f"{jars}/*"]
