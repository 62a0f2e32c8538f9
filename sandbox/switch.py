"""The sandbox as a server: `python -m sandbox.switch`, one port for the wire, one for control."""

import argparse
import asyncio
import json
import signal
from pathlib import Path

from aiohttp import web

from sandbox import heartbeats, timers, tls
from sandbox.composition import compose
from sandbox.control import ControlDoor
from sandbox.wire_door import WireDoor

# Both doors serve this machine only: the control door has no lock.
_HOST = "127.0.0.1"
_SHUTDOWN_SECONDS = 1.0
_BACKLOG = 512


def main() -> None:
    """Run until SIGTERM or Ctrl-C."""
    arguments = _arguments()
    asyncio.run(_serve(arguments))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.switch", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="where the bank posts its messages")
    parser.add_argument("--control-port", type=int, required=True, help="where orders are taken")
    parser.add_argument("--data", type=Path, required=True, help="journal and private keys")
    parser.add_argument("--keys", type=Path, required=True, help="where public keys are exchanged")
    parser.add_argument("--bank-url", required=True, help="where the bank takes messages")
    parser.add_argument("--timer-scale", type=_scale, default=1.0, help="shortens every wait")
    parser.add_argument("--heartbeat", type=_interval, default=0.0, help="seconds between beats")
    parser.add_argument("--tls", type=Path, help="ca.pem, switch.pem and .key: mutual TLS")
    parser.add_argument("--scenario", type=_steps, help="a JSON file: steps to carry out at once")
    return parser.parse_args()


def _steps(name: str) -> object:
    try:
        return json.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _interval(text: str) -> float:
    value = float(text)
    if not 0 <= value <= heartbeats.INTERVAL_SECONDS_MAX:
        raise argparse.ArgumentTypeError(f"from 0 to {heartbeats.INTERVAL_SECONDS_MAX}")
    return value


def _scale(text: str) -> float:
    value = float(text)
    if not timers.SCALE_MIN <= value <= timers.SCALE_MAX:
        raise argparse.ArgumentTypeError(f"from {timers.SCALE_MIN} to {timers.SCALE_MAX}")
    return value


async def _serve(arguments: argparse.Namespace) -> None:
    sandbox = compose(
        data=arguments.data,
        keys_directory=arguments.keys,
        bank_url=arguments.bank_url,
        scale=arguments.timer_scale,
        tls=arguments.tls,
    )
    await sandbox.open()
    door = ControlDoor(sandbox)
    wire = WireDoor(sandbox.receiver.handle)
    proof = tls.of_listener(arguments.tls) if arguments.tls else None
    await wire.listen(_HOST, arguments.port, proof)
    control = await _listen_for_orders(door, arguments.control_port)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    print(f"switch listens on {arguments.port}, control on {arguments.control_port}", flush=True)  # noqa: T201 - the one line that says it is ready
    await sandbox.heartbeats.set_interval(arguments.heartbeat)
    if arguments.scenario is not None:
        door.run(arguments.scenario)
    await stopped.wait()
    await wire.close()
    await control.cleanup()
    await sandbox.close()


async def _listen_for_orders(door: ControlDoor, port: int) -> web.AppRunner:
    runner = web.AppRunner(door.application(), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    await web.TCPSite(runner, _HOST, port, backlog=_BACKLOG).start()
    return runner


if __name__ == "__main__":
    main()
