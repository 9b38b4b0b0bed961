import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from streaming.stack import processes
from streaming.stack.processes import Process, exclusive, last_lines, load, save, spawn

SLEEP = [sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(60)"]


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    process = spawn(SLEEP, tmp_path / "log")
    yield process
    process.signal(signal.SIGKILL)
    assert process.wait(10)


def test_a_server_has_a_session_of_its_own_and_a_log(sleeper: Process, tmp_path: Path) -> None:
    assert os.getsid(sleeper.pid) == sleeper.pid
    deadline = time.monotonic() + 10
    while "awake" not in (tmp_path / "log").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_server_that_dies_while_it_is_looked_at_is_buried(
    sleeper: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_too_late(pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    monkeypatch.setattr(processes, "_start_time", look_too_late)
    assert not sleeper.alive()
    assert not Path(f"/proc/{sleeper.pid}").exists()


def test_a_server_ends_when_it_is_told(sleeper: Process) -> None:
    assert sleeper.alive()
    assert not sleeper.wait(0)
    assert sleeper.signal(signal.SIGTERM)
    assert sleeper.wait(10)
    assert not sleeper.alive()
    assert not sleeper.signal(signal.SIGTERM)


@pytest.mark.parametrize("other", [{"started": 1}, {"boot": "another"}])
def test_a_pid_that_became_somebody_elses_is_never_signalled(
    sleeper: Process, tmp_path: Path, other: dict[str, object]
) -> None:
    former = replace(sleeper, **other)  # type: ignore[arg-type]
    save(former, tmp_path / "run" / "server.json")
    assert load(tmp_path / "run" / "server.json") is None
    assert not former.signal(signal.SIGKILL)
    assert sleeper.alive()


def test_a_pid_file_comes_back_while_its_process_lives(sleeper: Process, tmp_path: Path) -> None:
    path = tmp_path / "run" / "server.json"
    assert load(path) is None
    save(sleeper, path)
    assert load(path) == sleeper
    sleeper.signal(signal.SIGKILL)
    sleeper.wait(10)
    assert load(path) is None


@pytest.mark.parametrize("text", ["", "12", "{}", '{"pid": "many"}'])
def test_a_pid_file_that_is_none_names_no_process(tmp_path: Path, text: str) -> None:
    (tmp_path / "server.json").write_text(text)
    assert load(tmp_path / "server.json") is None


def test_a_dead_process_nobody_has_buried_is_dead() -> None:
    # The shell does not wait for its child, and so keeps it as a zombie.
    shell = subprocess.Popen(
        ["/bin/sh", "-c", "sleep 0.3 & echo $!; exec sleep 60"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert shell.stdout is not None
        pid = int(shell.stdout.readline())
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        process = Process(pid, int(fields[19]), boot)
        assert process.alive()
        assert process.wait(10)
        assert Path(f"/proc/{pid}").exists()
    finally:
        shell.kill()
        shell.communicate()


def test_names_with_spaces_and_parentheses_do_not_confuse(tmp_path: Path) -> None:
    program = tmp_path / "a) S 1 (b"
    shutil.copy("/bin/sleep", program)
    process = spawn([str(program), "60"], tmp_path / "log")
    assert process.alive()
    assert process.signal(signal.SIGKILL)
    assert process.wait(10)


def test_the_end_of_a_log_is_short(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert last_lines(log, 3) == ""
    log.write_text("".join(f"line {number}\n" for number in range(100_000)))
    assert last_lines(log, 2) == "  line 99998\n  line 99999"


def test_a_lock_is_waited_for(tmp_path: Path) -> None:
    order = []

    def second() -> None:
        with exclusive(tmp_path / "lock"):
            order.append("second")

    with exclusive(tmp_path / "lock"):
        waiting = threading.Thread(target=second)
        waiting.start()
        time.sleep(0.1)
        order.append("first")
    waiting.join(10)
    assert order == ["first", "second"]
