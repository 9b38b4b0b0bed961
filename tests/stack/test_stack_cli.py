import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from click.testing import CliRunner

from streaming.stack.cli import stack_commands
from streaming.stack.jars import JarSet, silent
from streaming.stack.settings import Ports, ServiceName, StackError
from streaming.stack.stack import LocalStack
from streaming.stack.supervisor import Supervisor


class Script:
    """A service that is a Python script; it works once its log says so."""

    def __init__(self, script: str, port: int = 1) -> None:
        self.script = script
        self.ports: tuple[int, ...] = (port,)
        self.name: ServiceName = "kafka"
        self.jar_set: JarSet = "kafka"

    def prepare(self, java: str, jars: Path) -> None: ...

    def command(self, java: str, jars: Path) -> list[str]:
        del jars
        return [java, "-u", "-c", self.script]

    def unready(self, log: Path) -> str | None:
        return None if "ready" in log.read_text() else "it has not said so"


def start(server: Supervisor, timeout: float = 20.0) -> None:
    server.start(sys.executable, Path(), timeout, silent, Event())


def test_a_server_that_ends_shows_its_last_words(tmp_path: Path) -> None:
    server = Supervisor(Script("raise SystemExit('out of paper')"), tmp_path)
    with pytest.raises(StackError, match=r"kafka: ended after .*\n  out of paper"):
        start(server)
    assert server.status().state == "stopped"


def test_a_server_whose_port_was_taken_meanwhile_says_which(tmp_path: Path) -> None:
    server = Supervisor(Script("raise SystemExit('Address already in use')", port=77), tmp_path)
    with pytest.raises(StackError, match=r"a port is in use \(it needs 77\).*--kafka-port"):
        start(server)


def test_a_server_that_takes_too_long_is_left_alone_and_can_be_stopped(tmp_path: Path) -> None:
    server = Supervisor(Script("import time; time.sleep(60)"), tmp_path)
    with pytest.raises(StackError, match=r"does not work after .*: it has not said so"):
        start(server, timeout=0.3)
    assert server.status().state == "unready"
    stopped = server.stop(silent)
    assert stopped is not None
    assert stopped.state == "stopped"
    assert server.stop(silent) is None


def test_a_start_can_be_interrupted(tmp_path: Path) -> None:
    server = Supervisor(Script("import time; time.sleep(60)"), tmp_path)
    interrupted = Event()
    interrupted.set()
    with pytest.raises(StackError, match="interrupted"):
        server.start(sys.executable, Path(), 60, silent, interrupted)
    server.stop(silent)


def test_a_server_that_ignores_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streaming.stack.supervisor._STOP_SECONDS", 0.5)
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    server = Supervisor(Script(script + "print('ready'); time.sleep(60)"), tmp_path)
    start(server)
    stopped = server.stop(silent)
    assert stopped is not None
    assert stopped.detail.startswith("killed")
    assert server.process() is None


def test_a_signal_that_stops_a_server_for_a_while_does_not_end_it(tmp_path: Path) -> None:
    server = Supervisor(Script("import time; print('ready'); time.sleep(60)"), tmp_path)
    start(server)
    assert server.kill(signal.SIGSTOP)
    assert server.kill(signal.SIGCONT)
    assert server.status().state == "running"
    assert server.kill(signal.SIGKILL)
    assert not server.kill(signal.SIGKILL)


def test_the_log_of_the_start_before_is_kept(tmp_path: Path) -> None:
    server = Supervisor(Script("import time; print('ready', 1); time.sleep(60)"), tmp_path)
    start(server)
    server.stop(silent)
    server = Supervisor(Script("import time; print('ready', 2); time.sleep(60)"), tmp_path)
    start(server)
    server.stop(silent)
    assert server.log.read_text() == "ready 2\n"
    assert server.log.with_suffix(".log.1").read_text() == "ready 1\n"


def test_a_taken_port_is_refused_with_its_flag(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        server = Supervisor(Script("", port=other.getsockname()[1]), tmp_path)
        with pytest.raises(StackError, match=r"in use by another program.*--kafka-port"):
            server.refuse_taken_ports()


def test_commands_where_nothing_runs(tmp_path: Path) -> None:
    directory = ["--directory", str(tmp_path / "stack")]
    down = CliRunner().invoke(stack_commands, ["down", *directory])
    assert (down.exit_code, "was running" in down.output) == (0, True)
    status = CliRunner().invoke(stack_commands, ["status", *directory])
    assert status.exit_code == 1
    assert status.output.count("stopped") == 4
    assert not (tmp_path / "stack").exists()


def up(directory: Path, ports: Ports) -> str:
    """What `up` complains of."""
    arguments = ["up", "--directory", str(directory), "--kafka-port", str(ports.kafka)]
    arguments += ["--thrift-port", str(ports.thrift), "--zookeeper-port", str(ports.zookeeper)]
    answer = CliRunner().invoke(stack_commands, arguments)
    assert isinstance(answer.exception, StackError)
    return str(answer.exception)


@pytest.mark.parametrize(
    ("name", "flag"), [("zookeeper", "--zookeeper-port"), ("admin", "--thrift-port")]
)
def test_up_names_the_taken_port(
    name: str, flag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streaming.stack.stack.resolve", lambda _set, _progress: tmp_path)
    ports = LocalStack.free_ports()
    port = getattr(ports, name)
    with socket.create_server(("127.0.0.1", port)):
        told = up(tmp_path / "stack", ports)
    assert f": port {port} of 127.0.0.1 is in use by another program" in told
    assert flag in told


def test_up_refuses_one_port_for_two_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streaming.stack.stack.resolve", lambda _set, _progress: tmp_path)
    ports = LocalStack.free_ports()
    told = up(tmp_path / "stack", replace(ports, kafka=ports.admin))
    assert told.startswith(f"kafka and admin cannot both have port {ports.admin}")
    assert "--kafka-port or --thrift-port" in told


def test_the_last_port_leaves_none_for_the_admin_server(tmp_path: Path) -> None:
    arguments = ["up", "--directory", str(tmp_path), "--thrift-port", "65535"]
    answer = CliRunner().invoke(stack_commands, arguments)
    assert answer.exit_code == 2
    assert "65535 is not in the range" in answer.output
