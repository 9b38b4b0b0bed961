"""Find a Java that the servers can run on."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from streaming.errors import PrerequisiteError

MINIMUM_JAVA = 17
HOW_TO_GET_JAVA = (
    "install one (on Debian and Ubuntu: apt-get install openjdk-17-jre-headless) "
    "or point JAVA_HOME at it"
)

# Hadoop, HBase and Netty reach into these packages by reflection, which Java 17 forbids by default.
_OPENED_PACKAGES = (
    "java.lang",
    "java.lang.reflect",
    "java.nio",
    "java.util",
    "jdk.internal.misc",
    "sun.nio.ch",
)
JAVA_OPTIONS = (
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED_PACKAGES),
    "-Djava.net.preferIPv4Stack=true",
    "-Dfile.encoding=UTF-8",
    "-XX:-UsePerfData",
)


def java_command() -> str:
    """Return the `java` to start, from JAVA_HOME if that is set, else from PATH.

    Raises PrerequisiteError when there is none, or when it is older than Java 17.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(str(Path(home, "bin", "java")) if home else "java")
    if found is None:
        where = f"in JAVA_HOME={home}" if home else "on PATH"
        raise PrerequisiteError(
            f"no java {where}: Java {MINIMUM_JAVA} or newer is needed; {HOW_TO_GET_JAVA}."
        )
    answer = subprocess.run(
        [found, "-version"], capture_output=True, text=True, check=False, timeout=60
    )
    version = java_version(answer.stderr + answer.stdout)
    if version is None or version < MINIMUM_JAVA:
        raise PrerequisiteError(
            f"{found} is {'of an unknown version' if version is None else f'Java {version}'}: "
            f"Java {MINIMUM_JAVA} or newer is needed; {HOW_TO_GET_JAVA}."
        )
    return found


def java_version(text: str) -> int | None:
    """Return the major version from what `java -version` printed, None if it says none."""
    found = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(found.group(1)) if found else None
