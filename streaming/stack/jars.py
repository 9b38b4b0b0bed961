"""Resolve the servers' jars with Maven, once, into a cache.

A set of jars lives in ``$LEITONG_HOME/jars/<set>-<hash of its pom>`` (LEITONG_HOME defaults to
``~/.cache/leitong``). The directory is put in place by a rename, so one that exists is complete,
and nothing here calls Maven or the network again; another pom is another directory.
"""

import hashlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Literal

from streaming.errors import PrerequisiteError
from streaming.keeping import kept
from streaming.stack.java import java_command
from streaming.stack.processes import exclusive

JarSet = Literal["kafka", "hbase", "spark-kafka"]
Progress = Callable[[str], None]

_LINES_OF_MAVEN_SHOWN = 8
_SECONDS_BETWEEN_NEWS = 2.0


def silent(_message: str) -> None:
    """Report progress to nobody."""


def template(jar_set: JarSet, name: str) -> bytes:
    """Return a packaged file of `deploy/stack/<jar_set>`."""
    return resources.files("deploy").joinpath("stack", jar_set, name).read_bytes()


def jar_directory(jar_set: JarSet) -> Path:
    """Return where the set is, or will be once it has been resolved."""
    digest = hashlib.sha256(template(jar_set, "pom.xml")).hexdigest()
    return kept("jars", f"{jar_set}-{digest[:12]}")


def resolve(jar_set: JarSet, progress: Progress = silent) -> Path:
    """Return the directory of the set's jars, calling Maven if it is not there yet.

    Two resolvers of one set wait for each other. `progress` is given one short line at a time.
    Raises PrerequisiteError when Maven or Java is missing or Maven fails; the cache is then as it
    was before.
    """
    target = jar_directory(jar_set)
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(target.parent / f".{jar_set}.lock"):
        if not target.is_dir():
            with tempfile.TemporaryDirectory(prefix=f".{jar_set}-", dir=target.parent) as scratch:
                _copy_dependencies(jar_set, Path(scratch), target, progress)
                (Path(scratch) / "jars").rename(target)
    return target


def jars(jar_set: JarSet, progress: Progress = silent) -> list[Path]:
    """Return the set's jars, sorted by name; as `resolve` otherwise."""
    return sorted(resolve(jar_set, progress).glob("*.jar"))


def spark_kafka_jars(progress: Progress = silent) -> list[Path]:
    """Return the jars that PySpark lacks to read from and write to Kafka, for `spark.jars`."""
    return jars("spark-kafka", progress)


def _copy_dependencies(jar_set: JarSet, scratch: Path, target: Path, progress: Progress) -> None:
    another_way = (
        f"Without it, copy the directory {target} from a machine that has resolved it"
        " (LEITONG_HOME moves it)"
        + (", or name the jars yourself in spark.jars." if jar_set == "spark-kafka" else ".")
    )
    java_command()
    maven = shutil.which("mvn")
    if maven is None:
        raise PrerequisiteError(
            f"the {jar_set} jars have not been downloaded yet and there is no mvn on PATH: "
            "install Maven (on Debian and Ubuntu: apt-get install maven openjdk-17-jre-headless). "
            f"{another_way}"
        )
    pom = scratch / "pom.xml"
    pom.write_bytes(template(jar_set, "pom.xml"))
    command = [maven, "-B", "-f", str(pom), "-Dstyle.color=never", "dependency:copy-dependencies"]
    command += ["-DincludeScope=runtime", f"-DoutputDirectory={scratch / 'jars'}"]
    progress(f"{jar_set}: asking Maven for the jars (only the first time)")
    lines = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        downloaded, told_at = 0, 0.0
        for line in process.stdout or ():
            lines.append(line.rstrip())
            if " Downloaded from " in line and ".jar" in line:
                downloaded += 1
                if time.monotonic() - told_at > _SECONDS_BETWEEN_NEWS:
                    told_at = time.monotonic()
                    progress(f"{jar_set}: Maven has downloaded {downloaded} jars")
    if process.returncode != 0 or not any((scratch / "jars").glob("*.jar")):
        errors = [line for line in lines if line.startswith("[ERROR]")] or lines
        told = "\n".join(f"  {line}" for line in errors[:_LINES_OF_MAVEN_SHOWN])
        raise PrerequisiteError(
            f"Maven could not resolve the {jar_set} jars (exit {process.returncode}):\n{told}\n"
            f"Check the network and ~/.m2/settings.xml (mirror, proxy). {another_way}"
        )
