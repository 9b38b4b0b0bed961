"""``leitong prepare`` and ``leitong pack``: for containers and for clusters."""

import os
from pathlib import Path

import click


@click.command()
@click.option(
    "--to",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Put it there, for other hosts, which name it in LEITONG_PREPARED.",
)
@click.option("--jars", is_flag=True, help="Only the connector; print its jars, comma-separated.")
@click.option("--program", is_flag=True, help="Only print the file that spark-submit runs.")
def prepare(*, directory: Path | None, jars: bool, program: bool) -> None:
    """Fetch and make now what the first start would have to.

    That is Spark's Kafka connector (Maven fetches it), jieba's dictionary as the segmenter reads
    it, and the compiled loops. Whatever is there already is left as it is.

    \b
      leitong prepare
      leitong prepare --to /opt/leitong/prepared
      spark-submit --jars "$(leitong prepare --jars)" ... "$(leitong prepare --program)" run
    """  # noqa: D301 - click wants the character, not its escape
    if program:
        click.echo(Path(__file__).parents[1] / "__main__.py")
        return
    if directory:
        os.environ.pop("LEITONG_PREPARED", None)
        os.environ["LEITONG_HOME"] = str(directory.absolute())
        # Read when what compiles is imported, which is below.
        os.environ["NUMBA_CACHE_DIR"] = str(directory.absolute() / "compiled")
    from streaming import preparing  # noqa: PLC0415 - as said
    from streaming.stack.jars import spark_kafka_jars  # noqa: PLC0415

    if jars:
        click.echo(",".join(map(str, spark_kafka_jars(_tell))))
        return
    preparing.prepare(_tell)


@click.command()
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("leitong.tar.gz"),
    show_default=True,
    help="The archive: a .tar.gz, .tgz or .tar.",
)
def pack(*, target: Path) -> None:
    """Pack this installation into an archive for the workers of a Spark cluster.

    It has Leitong and every package that it needs, as they are installed here, the dictionary,
    and the compiled loops. Workers need the same minor version of Python, or LEITONG_PYTHON in
    their environment names one. Models, dictionaries of your own and other tables of words need
    not be packed: a query brings them along.

    \b
      leitong pack --to leitong.tar.gz
      leitong run --set spark.master=spark://HOST:7077 \\
                  --set spark.archives=leitong.tar.gz#leitong \\
                  --set spark.pyspark.python=./leitong/bin/python
    """  # noqa: D301 - as above
    from streaming import packing  # noqa: PLC0415 - only when it is needed

    size = packing.pack(target, _tell)
    click.echo(f"{target}: {size / 1e6:,.0f} MB")


def _tell(line: str) -> None:
    click.echo(line, err=True)
