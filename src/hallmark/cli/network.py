"""`hallmark twin network`: latency, bandwidth, cuts and black holes on the way to AWS or to a Service."""

from typing import TYPE_CHECKING

import click

from hallmark.cli.app import App
from hallmark.errors import EnvironmentFault, UsageError

if TYPE_CHECKING:
    from hallmark.twin.network import Network, Way


@click.command()
@click.argument("host", required=False)
@click.option("--latency", type=click.IntRange(0, 60_000), metavar="MS", help="Every answer comes this much later.")
@click.option("--bandwidth", type=click.IntRange(1), metavar="BYTES", help="Bytes a second, for each connection.")
@click.option("--black-hole", is_flag=True, help="Connections stay open and nothing passes.")
@click.option("--cut", is_flag=True, help="Reset the connections there are, once.")
@click.option("--clear", is_flag=True, help="Have nothing wrong any more.")
@click.pass_obj
def network(  # noqa: PLR0917  (options)
    app: App,
    host: str | None,
    latency: int | None,
    bandwidth: int | None,
    black_hole: bool,  # noqa: FBT001  (click passes flags by position)
    cut: bool,  # noqa: FBT001
    clear: bool,  # noqa: FBT001
) -> None:
    """Break the way to HOST: a data store or an endpoint of AWS, or a Service. Without options, say what is set.

    HOST is a name, its first label, or any part that only one name has. What is set replaces what was set before; it
    is gone when the twin stops, is reset or restored. A Service feels it in new connections only.

    \b
    Examples:
      hallmark twin network
      hallmark twin network rds --latency 200 --bandwidth 100000
      hallmark twin network rds --cut
      hallmark twin network rds --black-hole
      hallmark twin network rds --clear
    """  # noqa: D301  (\b is click's mark for a paragraph it must not wrap)
    board, shaped = _board(app), latency is not None or bandwidth is not None or black_hole
    if (shaped or cut or clear) and not host:
        raise UsageError("which way? HOST is missing.", "hallmark twin network --help")
    if clear and shaped:
        raise UsageError("--clear goes with no other setting.", "hallmark twin network --help")
    if not host:
        _show(app, board.ways())
        return
    name = board.find(host)
    if clear:
        board.clear(name)
    if shaped:
        board.shape(name, latency=latency or 0, bandwidth=bandwidth or 0, black_hole=black_hole)
    if cut:
        board.cut(name)
    _show(app, {name: board.ways()[name]})


def _board(app: App) -> "Network":
    try:
        from hallmark.twin.network import Network  # noqa: PLC0415  (an extra, as the twin itself)
    except ModuleNotFoundError as error:
        hint = 'python -m pip install -e ".[twin]"'
        raise EnvironmentFault(f"the twin needs packages that are not installed ({error.name}).", hint) from error
    return Network(app.home)


def _show(app: App, ways: "dict[str, Way]") -> None:
    from hallmark.twin.network import is_of_aws  # noqa: PLC0415  (as above)

    shown = {name: way for name, way in ways.items() if len(ways) == 1 or way["set"] or is_of_aws(name)}
    width = max(map(len, shown), default=0)
    for name, way in shown.items():
        line = f"{name:{width}}  {_words(way)}, {way['connections']} connections"
        app.console.print(line, markup=False, soft_wrap=True)
    if not shown:
        app.console.print("There is nothing of AWS, and nothing is set.")


def _words(way: "Way") -> str:
    words = [
        f"latency {way['latency']} ms" if way["latency"] else "",
        f"{way['bandwidth']} bytes/s" if way["bandwidth"] else "",
        "black hole" if way["black_hole"] else "",
    ]
    return ", ".join(filter(None, words)) or "sound"
