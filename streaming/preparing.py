"""What the first start would fetch or make, done beforehand.

Three things take time once per host: the Kafka connector comes from Maven, jieba's dictionary
is laid out for the segmenter, and the loops are compiled. A container or an archive brings
them along, since its hosts are new with every start.
"""

import importlib
import pkgutil

import streaming
from streaming.stack.jars import Progress, spark_kafka_jars
from streaming.text.dictionary import Dictionary


def prepare(progress: Progress) -> None:
    """Make all of it, wherever this process keeps such things.

    Raises PrerequisiteError if the connector cannot be fetched.
    """
    spark_kafka_jars(progress)
    prepare_texts(progress)


def prepare_texts(progress: Progress) -> None:
    """Compile the loops and lay out the dictionary: all that workers need."""
    progress("compiling what is compiled")
    for module in pkgutil.walk_packages(streaming.__path__, "streaming."):
        # What is compiled is so with the import of its module; main modules would run.
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    progress("laying out the dictionary")
    Dictionary()
