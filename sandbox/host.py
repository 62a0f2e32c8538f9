"""The bank's core-banking host as a server: `python -m sandbox.host`, one port for each door."""

import argparse
import asyncio
import contextlib
import signal
from pathlib import Path

from aiohttp import web

from sandbox.host_book import HostBook
from sandbox.host_control import HostControl
from sandbox.host_desk import Desk
from sandbox.host_faults import HostFaults
from sandbox.host_journal import HostJournal
from sandbox.host_keys import HostKeys
from sandbox.host_links import HostDoor
from sandbox.store import Store

# Both doors serve this machine only: the control door has no lock.
_HOST = "127.0.0.1"
_SHUTDOWN_SECONDS = 1.0
_SCHEMA = Path(__file__).with_name("host_schema.sql")


def main() -> None:
    """Run until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.host", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="where the bank connects")
    parser.add_argument("--control-port", type=int, required=True, help="where orders are taken")
    parser.add_argument("--data", type=Path, required=True, help="the book and the MAC key")
    parser.add_argument("--keys", type=Path, required=True, help="where keys are exchanged")
    parser.add_argument("--tls", type=Path, required=True, help="ca.pem, host.pem and host.key")
    asyncio.run(_serve(parser.parse_args()))


async def _serve(arguments: argparse.Namespace) -> None:
    for folder in (arguments.data, arguments.keys):
        folder.mkdir(parents=True, exist_ok=True)
    store = Store(arguments.data / "host.sqlite3", schema=_SCHEMA)
    book, journal, faults = HostBook(store), HostJournal(store), HostFaults()
    keys = HostKeys(arguments.data, arguments.keys)
    door = HostDoor(desk=Desk(book), keys=keys, faults=faults, journal=journal)
    control = HostControl(book=book, door=door, faults=faults, journal=journal)
    await door.listen(_HOST, arguments.port, arguments.tls)
    runner = web.AppRunner(
        control.application(), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS
    )
    await runner.setup()
    await web.TCPSite(runner, _HOST, arguments.control_port).start()
    giving = asyncio.create_task(keys.hand_over())
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    print(f"host listens on {arguments.port}, control on {arguments.control_port}", flush=True)  # noqa: T201 - the one line that says it is ready
    await stopped.wait()
    giving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await giving
    await door.close()
    await runner.cleanup()
    store.close()


if __name__ == "__main__":
    main()
