"""The wheel in an environment of its own, and what is packed of it on a cluster of strangers."""

import os
import subprocess
import sys
import tarfile
import uuid
import zipfile
from pathlib import Path

import orjson
import pyspark
import pytest

from streaming.packing import PACKAGES
from streaming.settings import load
from streaming.stack.stack import LocalStack
from tests.integration.clusters import spark_home, standalone
from tests.integration.logs import TIMEOUT, differences, must_export, printed, publish
from tests.newsfeed import messages

REPOSITORY = Path(__file__).parents[2]
SPARK = Path(pyspark.__path__[0])
HOSTS_PYTHON = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
# Imported by every Python of an executor, before anything else is.
GUARD = """
import errno, sys
def refuse(event, arguments):
    if event == "open" and str(arguments[0]).startswith({refused!r}):
        raise PermissionError(errno.EACCES, "is on the host of the query only", arguments[0])
open(__file__ + ".seen", "w").close()
sys.addaudithook(refuse)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(target)]
    subprocess.run([*command, str(REPOSITORY)], check=True, timeout=TIMEOUT)
    return next(target.glob("leitong-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel in it; what that needs is read from where the tests have it."""
    home = tmp_path_factory.mktemp("installed") / "env"
    subprocess.run([HOSTS_PYTHON, "-m", "venv", "--without-pip", home], check=True)
    site = next(home.glob("lib/python3*/site-packages"))
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)  # noqa: S202 - a wheel of ours
    # The packages, without the checkout that an editable installation would bring along.
    (site / "needed.pth").write_text(f"{SPARK.parent}\n")
    return home


@pytest.fixture(scope="module")
def packed(installed: Path) -> Path:
    leitong(installed, "pack", "--to", "leitong.tar.gz", directory=installed.parent)
    return installed.parent / "leitong.tar.gz"


def leitong(installed: Path, *arguments: str, directory: Path) -> str:
    program = "from streaming.cli import main; main()"
    command = [str(installed / "bin" / "python"), "-c", program, *arguments]
    return printed(command, directory, variables())


def variables() -> dict[str, str]:
    """What a process is started with that shall know nothing of this one."""
    kept = {name: os.environ[name] for name in ("JAVA_HOME", "LEITONG_HOME") if name in os.environ}
    path = f"{HOSTS_PYTHON.parent}:{os.environ['PATH']}"
    return kept | {"PATH": path, "HOME": str(Path.home()), "SPARK_LOCAL_IP": "127.0.0.1"}


def test_the_wheel_has_every_file_of_the_packages(wheel: Path) -> None:
    ours = {
        path.relative_to(REPOSITORY).as_posix()
        for name in PACKAGES
        for path in (REPOSITORY / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as packed:
        there = {name for name in packed.namelist() if ".dist-info/" not in name}
    assert there == ours


def test_what_is_packed_runs_by_itself(packed: Path, tmp_path: Path) -> None:
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path, filter="data")
    assert list(tmp_path.glob("prepared/dictionaries/*/trie.npy"))
    assert list(tmp_path.glob("site/streaming/text/__pycache__/cutting.*.nbi"))
    script = (
        "import sys, streaming; from streaming.text.pipeline import TextPipeline;"
        "from streaming.text.settings import TextSettings;"
        "TextPipeline(TextSettings()).analyse([('标题', '正文在此', 'news')]);"
        "print(streaming.__file__, *sys.path, sep='\\n')"
    )
    environment = {"PATH": f"{HOSTS_PYTHON.parent}:/usr/bin:/bin"}
    told = printed([str(tmp_path / "bin" / "python"), "-c", script], Path("/"), environment)
    where, *path = told.splitlines()
    assert where == str(tmp_path / "site" / "streaming" / "__init__.py")
    assert not [each for each in path if each.startswith(str(SPARK.parent))]
    assert not (tmp_path / "cache").exists(), "something was made that was prepared"


@pytest.fixture
def query_host(tmp_path: Path) -> Path:
    """A directory with settings and tables of words, which workers must not read."""
    host = tmp_path / "query-host"
    host.mkdir()
    (host / "words.txt").write_text("雷同检测 100 n\n", encoding="utf-8")
    (host / "more-stop-words.txt").write_text("此外\n", encoding="utf-8")
    (host / "leitong.toml").write_text(
        'text.user_dictionaries = ["words.txt"]\ntext.extra_stop_words = "more-stop-words.txt"\n',
        encoding="utf-8",
    )
    return host


def test_spark_submit_to_workers_that_have_nothing_of_ours(
    stack: LocalStack, installed: Path, packed: Path, query_host: Path, tmp_path: Path
) -> None:
    topic = f"kafka://{stack.kafka}/submitted-{uuid.uuid4().hex[:6]}"
    store = f"hbase://{stack.hbase}/submitted-{uuid.uuid4().hex[:6]}?regions=2"
    publish(topic, messages(400))
    guard = tmp_path / "guard"
    guard.mkdir()
    refused = (str(REPOSITORY), str(SPARK.parent), str(installed), str(query_host))
    (guard / "sitecustomize.py").write_text(GUARD.format(refused=refused))
    home = spark_home(tmp_path / "spark")
    with standalone(home, inherited=variables()) as master:
        submit = [
            *(str(SPARK / "bin" / "spark-submit"), "--master", master),
            *("--jars", leitong(installed, "prepare", "--jars", directory=query_host).strip()),
            *("--archives", f"{packed}#leitong"),
            *("--conf", "spark.pyspark.python=./leitong/bin/python"),
            *("--conf", f"spark.pyspark.driver.python={installed / 'bin' / 'python'}"),
            *("--conf", f"spark.executorEnv.PYTHONPATH={guard}"),
            *("--executor-memory", "700m", "--driver-memory", "700m"),
            leitong(installed, "prepare", "--program", directory=query_host).strip(),
            *("run", "--source", topic, "--store", store, "--until-caught-up"),
            *("--max-batch", "200"),
        ]
        said = printed(submit, query_host, variables())
    # Spark's own log is as spark-submit has it; what the program says comes out of the other side.
    assert (guard / "sitecustomize.py.seen").exists()
    assert "batch 0:" in said
    assert len(list(home.glob("work/*/*/leitong/bin/python"))) == 2
    assert len(list(home.glob("work/*/*/tables-*/0-words.txt"))) == 2
    leitong(
        installed,
        *("export", "verdicts", "--store", store, "--to", "verdicts.jsonl"),
        directory=query_host,
    )
    settings = load(query_host / "leitong.toml", environment={}).settings
    here = settings.text.moved(lambda path: query_host / path)
    expected = must_export(topic, settings.model_copy(update={"text": here}))
    lines = (query_host / "verdicts.jsonl").read_bytes().splitlines()
    assert not differences([orjson.loads(line) for line in lines], expected)
    assert len(lines) == 400
