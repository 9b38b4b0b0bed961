import os
import threading
from pathlib import Path

import pytest

from streaming.errors import PrerequisiteError
from streaming.stack.jars import jar_directory, jars, resolve, spark_kafka_jars
from streaming.stack.java import java_command, java_version

# What Maven says and does, as far as we look at it. Each call leaves a line in $CALLS.
MAVEN = r"""#!/bin/sh
echo call >> "$CALLS"
for argument; do case $argument in -DoutputDirectory=*) out=${argument#*=};; esac; done
mkdir -p "$out"
echo '[INFO] Downloaded from central: somewhere/b-2.jar (1 kB at 1 kB/s)'
[ -n "$MAVEN_FAILS" ] && { echo '[ERROR] Could not find artifact x'; touch "$out/b.jar"; exit 1; }
[ -n "$MAVEN_IS_SLOW" ] && sleep 0.5
touch "$out/b-2.jar" "$out/a-1.jar"
"""
JAVA = """#!/bin/sh
echo 'openjdk version "%s" 2025-01-01' >&2
"""


def program(directory: Path, name: str, text: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(text)
    (directory / name).chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty cache, our Maven and Java 17."""
    program(tmp_path / "bin", "mvn", MAVEN)
    program(tmp_path / "bin", "java", JAVA % "17.0.15")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/bin{os.pathsep}/usr/bin")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("LEITONG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path


def without(machine: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine / "bin" / name).unlink()
    monkeypatch.setenv("PATH", str(machine / "bin"))


def calls(machine: Path) -> int:
    path = machine / "calls"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_jars_are_resolved_once(machine: Path) -> None:
    news: list[str] = []
    directory = resolve("kafka", news.append)
    assert directory == jar_directory("kafka")
    assert directory.parent == machine / "home" / "jars"
    assert [path.name for path in jars("kafka")] == ["a-1.jar", "b-2.jar"]
    assert calls(machine) == 1
    assert "asking Maven" in news[0]
    assert news[1:] == ["kafka: Maven has downloaded 1 jars"]


def test_cached_jars_need_neither_maven_nor_java(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve("spark-kafka")
    without(machine, "mvn", monkeypatch)
    (machine / "bin" / "java").unlink()
    assert [path.name for path in spark_kafka_jars()] == ["a-1.jar", "b-2.jar"]


def test_every_set_has_a_directory_of_its_own(machine: Path) -> None:
    assert len({jar_directory(name) for name in ("kafka", "hbase", "spark-kafka")}) == 3
    assert not (machine / "home").exists()


def test_two_resolvers_call_maven_once(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAVEN_IS_SLOW", "1")
    threads = [threading.Thread(target=resolve, args=("hbase",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(jars("hbase")) == 2
    assert calls(machine) == 1


def test_a_failure_of_maven_is_told_and_leaves_nothing(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAVEN_FAILS", "1")
    with pytest.raises(PrerequisiteError, match="Could not find artifact x"):
        resolve("kafka")
    assert not jar_directory("kafka").exists()
    assert [path.name for path in (machine / "home" / "jars").iterdir()] == [".kafka.lock"]
    monkeypatch.delenv("MAVEN_FAILS")
    assert len(jars("kafka")) == 2


def test_no_maven_says_how_to_get_it_and_how_to_do_without(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(machine, "mvn", monkeypatch)
    with pytest.raises(PrerequisiteError, match=r"apt-get install maven(?s:.*)LEITONG_HOME"):
        resolve("kafka")
    with pytest.raises(PrerequisiteError, match=r"spark\.jars"):
        spark_kafka_jars()


def test_no_java_is_said_before_maven_is_asked(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(machine, "java", monkeypatch)
    with pytest.raises(PrerequisiteError, match=r"no java on PATH.*openjdk-17"):
        resolve("kafka")
    assert calls(machine) == 0


@pytest.mark.parametrize("version", ["1.8.0_392", "11.0.2"])
def test_an_old_java_is_refused(machine: Path, version: str) -> None:
    program(machine / "bin", "java", JAVA % version)
    with pytest.raises(PrerequisiteError, match=r"is Java (8|11): Java 17 or newer is needed"):
        java_command()


def test_java_home_comes_first(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(machine / "jdk" / "bin", "java", JAVA % "21.0.1")
    monkeypatch.setenv("JAVA_HOME", str(machine / "jdk"))
    assert java_command() == str(machine / "jdk" / "bin" / "java")
    monkeypatch.setenv("JAVA_HOME", str(machine / "nothing"))
    with pytest.raises(PrerequisiteError, match="no java in JAVA_HOME="):
        java_command()


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "17" 2021-09-14', 17),
        ('java version "1.8.0_392"', 8),
        ('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "21-ea" 2023', 21),
        ("The operation couldn't be completed.", None),
    ],
)
def test_java_versions_are_read(text: str, version: int | None) -> None:
    assert java_version(text) == version
