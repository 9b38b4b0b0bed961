"""Models of a local directory, on workers that run on other machines.

There the directory of the query's host is not. So Spark brings an archive of the version to
each executor, once, and unpacks it beside what else it keeps for the program; workers map
what lies there. In local mode, and for a registry at a URL, nothing is brought anywhere.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

from pyspark import SparkContext, SparkFiles
from pyspark.sql import SparkSession

from streaming.errors import ModelsError
from streaming.similar import manifest
from streaming.similar.models import Handle, local_path

_BROUGHT = "brought:"


def for_workers(spark: SparkSession, handles: Mapping[str, Handle]) -> dict[str, Handle]:
    """Give handles that `at_hand` turns, in a worker of any machine, into what opens the models.

    ModelsError if a version of a local directory cannot be read.
    """
    context = spark.sparkContext
    if str(context.master).partition("[")[0] == "local":
        return dict(handles)
    return {name: _brought(context, handle) for name, handle in handles.items()}


def at_hand(handles: Mapping[str, Handle]) -> dict[str, Handle]:
    """Give what opens the models in this worker."""
    return {
        name: replace(handle, location=SparkFiles.get(handle.location.removeprefix(_BROUGHT)))
        if handle.location.startswith(_BROUGHT)
        else handle
        for name, handle in handles.items()
    }


def _brought(context: SparkContext, handle: Handle) -> Handle:
    directory = local_path(handle.location)
    if directory is None:
        return handle
    name = f"models-{handle.checksum}"
    # Spark hands it out for as long as the program runs, and removes its directory afterwards.
    archive = Path(SparkFiles.getRootDirectory()) / f"{name}.zip"
    if not archive.exists():
        _pack(directory, archive)
    # Spark takes no directory of a local file system here; of a second time it takes no notice.
    context.addArchive(f"{archive.as_uri()}#{name}")
    return replace(handle, location=f"{_BROUGHT}{name}")


def _pack(directory: Path, archive: Path) -> None:
    told = manifest.read_local(directory)
    aside = archive.with_suffix(".part")
    try:
        with ZipFile(aside, "w", strict_timestamps=False) as packed:
            for name in (manifest.NAME, *told.files()):
                packed.write(directory / name, name)
        aside.rename(archive)
    except OSError as error:
        raise ModelsError(
            f"{directory}: cannot be packed for the workers ({error.strerror or error}); is it"
            " complete, and is there room for a copy?"
        ) from error
