"""The commands of the local platform: `python -m deploy.local run | up | reset`."""

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from deploy.local import children, command, console, environment, process_file, reset, up
from deploy.local.directory import LocalDirectory
from deploy.local.servers import NAMES, Servers, parse_names


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its code."""
    options = _parser().parse_args(arguments)
    return command.run_to_end(lambda: options.action(options))


def _run(options: argparse.Namespace) -> int:
    """Start the servers, run the command with their addresses, stop them, and end with its code."""
    directory = LocalDirectory.from_environment()
    words = options.command[1:] if options.command[:1] == ["--"] else options.command
    begun = time.monotonic()
    with directory.held(), Servers(directory, options.only) as servers:
        origins = ", ".join(f"{name}: {origin}" for name, origin in servers.origins().items())
        console.complain(f"servers ready in {time.monotonic() - begun:.1f} s ({origins})")
        if not words:
            return 0
        return _run_command(words, environment.inherited() | servers.environment())


def _run_command(words: Sequence[str], values: dict[str, str]) -> int:
    """Run the command in our own process group, so that a terminal's Ctrl-C reaches it directly."""
    prefix = children.dying_with_parent(signal.SIGTERM)
    process = subprocess.Popen([*prefix, "--", *words], env=values)

    def pass_on(number: int, _frame: FrameType | None) -> None:
        # A terminal has told the command already; twice would make some of them drop everything.
        if number != signal.SIGINT or not sys.stdin.isatty():
            process.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    code = process.wait()
    return code if code >= 0 else command.SIGNAL_BASE - code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    commands = parser.add_subparsers(required=True)
    start = commands.add_parser("run", help="run a command among the servers, then stop them")
    start.add_argument("--only", type=parse_names, default=NAMES, help=f"of {', '.join(NAMES)}")
    start.add_argument("command", nargs=argparse.REMAINDER, metavar="-- CMD…")
    start.set_defaults(action=_run)
    stay = commands.add_parser("up", help="start the platform and keep it up until Ctrl-C")
    stay.add_argument("--quiet", action="store_true", help="show states, not the parts' lines")
    stay.add_argument("--processes", type=Path, default=process_file.DEFAULT, help="what runs")
    stay.set_defaults(action=lambda given: up.stay_up(given.processes, quiet=given.quiet))
    remove = commands.add_parser("reset", help="remove all data of this directory")
    remove.set_defaults(action=lambda _: reset.reset(LocalDirectory.from_environment()))
    return parser


if __name__ == "__main__":
    sys.exit(main())
