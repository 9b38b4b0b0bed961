"""Models and tables of words that lie on the query's host, for workers on other machines.

There its directories are not. So Spark brings an archive of them to each executor, once, and
unpacks it beside what else it keeps for the program; workers read what lies there. In local
mode, and for a registry of models at a URL, nothing is brought anywhere.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

from pyspark import SparkContext, SparkFiles
from pyspark.sql import SparkSession

from streaming.errors import ModelsError, SettingsError
from streaming.similar import manifest
from streaming.similar.models import Handle, local_path
from streaming.text.settings import TextSettings

_BROUGHT = "brought:"


def for_workers(spark: SparkSession, handles: Mapping[str, Handle]) -> dict[str, Handle]:
    """Give handles that `at_hand` turns, in a worker of any machine, into what opens the models.

    ModelsError if a version of a local directory cannot be read.
    """
    context = spark.sparkContext
    if _is_local(context):
        return dict(handles)
    return {name: _brought(context, handle) for name, handle in handles.items()}


def at_hand(handles: Mapping[str, Handle]) -> dict[str, Handle]:
    """Give what opens the models in this worker."""
    return {
        name: replace(handle, location=str(_unpacked(handle.location)))
        if handle.location.startswith(_BROUGHT)
        else handle
        for name, handle in handles.items()
    }


def tables_for_workers(spark: SparkSession, settings: TextSettings) -> TextSettings:
    """Give settings that `tables_at_hand` turns, in any worker, into some whose files are there.

    SettingsError if a file cannot be read.
    """
    context, files = spark.sparkContext, settings.files()
    if _is_local(context) or not files:
        return settings
    inside = {path: f"{number}-{path.name}" for number, path in enumerate(files)}
    told = hashlib.sha256()
    try:
        for path in files:
            told.update(hashlib.sha256(path.read_bytes()).digest() + path.name.encode())
        name = f"tables-{told.hexdigest()[:16]}"
        _bring(context, name, inside)
    except OSError as error:
        raise SettingsError(
            f"{error.filename}: cannot be brought to the workers ({error.strerror}); is it there,"
            " and is there room for a copy?"
        ) from error
    return settings.moved(lambda path: Path(f"{_BROUGHT}{name}", inside[path]))


def tables_at_hand(settings: TextSettings) -> TextSettings:
    """Give the settings under which this worker reads texts."""
    return settings.moved(
        lambda path: _unpacked(str(path)) if str(path).startswith(_BROUGHT) else path
    )


def _is_local(context: SparkContext) -> bool:
    return str(context.master).partition("[")[0] == "local"


def _brought(context: SparkContext, handle: Handle) -> Handle:
    directory = local_path(handle.location)
    if directory is None:
        return handle
    told = manifest.read_local(directory)
    name = f"models-{handle.checksum}"
    try:
        _bring(context, name, {directory / each: each for each in (manifest.NAME, *told.files())})
    except OSError as error:
        raise ModelsError(
            f"{directory}: cannot be packed for the workers ({error.strerror or error}); is it"
            " complete, and is there room for a copy?"
        ) from error
    return replace(handle, location=f"{_BROUGHT}{name}")


def _bring(context: SparkContext, name: str, files: Mapping[Path, str]) -> None:
    """Bring files to the executors, in an archive of this name, each under its own name in it.

    The same name means the same files. Raises OSError.
    """
    # Spark hands it out for as long as the program runs, and removes its directory afterwards.
    archive = Path(SparkFiles.getRootDirectory()) / f"{name}.zip"
    if not archive.exists():
        aside = archive.with_suffix(".part")
        with ZipFile(aside, "w", strict_timestamps=False) as packed:
            for path, inside in files.items():
                packed.write(path, inside)
        aside.rename(archive)
    # Spark takes no directory of a local file system here; of a second time it takes no notice.
    context.addArchive(f"{archive.as_uri()}#{name}")


def _unpacked(brought: str) -> Path:
    """Give where something is in this worker, from what the query's host called it."""
    name, _, rest = brought.removeprefix(_BROUGHT).partition("/")
    return Path(SparkFiles.get(name), rest)
