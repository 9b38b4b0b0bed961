"""Build the image and see that it does what its users, and Spark on Kubernetes, ask of it.

Everything runs as the image's own user on a read-only file system and without a network, so
nothing is fetched and nothing is written but to /tmp and the volume.

    CONTAINERS=podman BASE=debian:bookworm-slim python -m tests.image.check

``BUILD_OPTIONS`` and ``RUN_OPTIONS`` are handed to the program that builds and runs.
"""

import os
import shlex
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from rich.console import Console

from tests.faults.report import Checks

ROOT = Path(__file__).parents[2]
PROGRAM = os.environ.get("CONTAINERS", "podman")
BUILD = shlex.split(os.environ.get("BUILD_OPTIONS", ""))
RUN = [
    *(PROGRAM, "run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp:mode=1777"),  # noqa: S108 - in the container
    *shlex.split(os.environ.get("RUN_OPTIONS", "")),
]
SPARK = "/opt/leitong/lib/python3.11/site-packages"
ROUND = """
set -e
entrypoint produce --from newsroom:1 --limit 300 --to file:log/
entrypoint run --source file:log/ --store sqlite:leitong.db --until-caught-up
entrypoint export verdicts --store sqlite:leitong.db --to verdicts.jsonl
echo "verdicts: $(grep -c . verdicts.jsonl)"
echo "compiled anew: $(find /tmp/leitong-compiled -newer log -type f | grep -c . || true)"
"""
DRIVER = f"""
set -e
entrypoint produce --from newsroom:1 --limit 50 --to file:log/
printf 'spark.master=local[1]\\n' > /tmp/spark.properties
SPARK_DRIVER_BIND_ADDRESS=127.0.0.1 entrypoint driver --properties-file /tmp/spark.properties \
    --class org.apache.spark.deploy.PythonRunner local://{SPARK}/streaming/__main__.py \
    run --source file:log/ --store sqlite:leitong.db --until-caught-up
"""
EXECUTOR = """
export SPARK_JAVA_OPT_0=-Dfirst=1 SPARK_JAVA_OPT_1=-Dsecond=2 SPARK_EXECUTOR_MEMORY=300m
export SPARK_DRIVER_URL=spark://CoarseGrainedScheduler@127.0.0.1:9 SPARK_EXECUTOR_ID=1
export SPARK_EXECUTOR_CORES=1 SPARK_APPLICATION_ID=app SPARK_EXECUTOR_POD_IP=127.0.0.1
export SPARK_RESOURCE_PROFILE_ID=0 SPARK_EXECUTOR_POD_NAME=pod
entrypoint executor 2>&1
"""
HEALTH = """
entrypoint produce --from newsroom:1 --limit 10 --to file:log/ > /dev/null
entrypoint run --source file:log/ --store sqlite:leitong.db --metrics-listen 9108 > /tmp/said 2>&1 &
healthy && echo too early
for second in $(seq 100); do grep -q 'batch 0' /tmp/said && break; sleep 1; done
healthy && echo it is well
"""


def main() -> int:
    checks = Checks(Console(highlight=False))
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    image = f"leitong:{version}"
    build = [PROGRAM, "build", "-f", "deploy/image/Containerfile", "-t", image, *BUILD]
    base = os.environ.get("BASE")
    subprocess.run(
        [*build, *(("--build-arg", f"BASE={base}") if base else ()), "."], cwd=ROOT, check=True
    )
    said = run(image, "--version")
    checks.check("it is this version", said.strip().endswith(f"version {version}"), said.strip())
    said = in_shell(image, "id -u; touch /opt/leitong/x && echo written")
    checks.check("it has no rights", "10001" in said and "written" not in said, said.strip())
    began = time.monotonic()
    said = in_shell(image, ROUND)
    seconds = f"{time.monotonic() - began:.0f} s"
    checks.check("it goes a round", "verdicts: 297" in said, seconds)
    checks.check("it compiles nothing", "compiled anew: 0" in said, said[-60:].strip())
    said = in_shell(image, DRIVER)
    checks.check("Spark's driver runs in it", "batch 0: 50 events" in said, said[-200:].strip())
    said = in_shell(image, EXECUTOR)
    checks.check(
        "Spark's executor starts in it and looks for the driver",
        "127.0.0.1:9" in said and "ClassNotFound" not in said and "Usage" not in said,
        said[-200:].strip(),
    )
    said = in_shell(image, HEALTH)
    checks.check("its health is told", "it is well" in said, said[-60:].strip())
    checks.check("not before it is well", "too early" not in said)
    checks.show()
    return 0 if checks.good else 1


def in_shell(image: str, script: str) -> str:
    return run(image, "-c", script, entrypoint=("--entrypoint", "sh"))


def run(image: str, *arguments: str, entrypoint: tuple[str, ...] = ()) -> str:
    done = subprocess.run(
        [*RUN, *entrypoint, image, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main())
