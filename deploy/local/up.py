"""The platform for a person: started with its states shown, kept up, stopped on Ctrl-C."""

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from urllib.parse import parse_qs, urlsplit

from deploy.local import console, host_accounts, process_file
from deploy.local.directory import LocalDirectory
from deploy.local.platform import Platform
from deploy.local.reporter import Reporter
from deploy.local.servers import NAMES

LOOK_SECONDS = 0.5


def stay_up(processes: Path = process_file.DEFAULT, *, quiet: bool = False) -> int:
    """Start everything, say where it is, and mend what dies until somebody ends it."""
    platform = Platform(processes=processes, reporter=_reporter(processes, lines=not quiet))
    begun = time.monotonic()
    with _interruptible(platform), platform:
        try:
            _welcome(platform, seconds=time.monotonic() - begun)
            while True:
                time.sleep(LOOK_SECONDS)
                platform.mend_servers()
        except KeyboardInterrupt:
            console.say("stopping")
    return 0


def on_fresh_platform(
    play: Callable[[Platform], int], *, changes: Mapping[str, str] | None = None
) -> int:
    """Start everything with no data from before, call `play`, stop, and return its code."""
    directory = LocalDirectory.from_environment()
    with directory.held():
        directory.remove()
    reporter = _reporter(process_file.DEFAULT, lines=False)
    platform = Platform(directory, changes=changes, reporter=reporter)
    with _interruptible(platform), platform:
        return play(platform)


def _reporter(processes: Path, *, lines: bool) -> Reporter:
    parts = [part.name for part in process_file.load(processes).parts]
    return Reporter([*NAMES, *parts], lines=lines)


@contextmanager
def _interruptible(platform: Platform) -> Iterator[None]:
    """Let the first Ctrl-C stop the platform in order, and the second one at once."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, lambda *_: platform.hurry())
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _welcome(platform: Platform, *, seconds: float) -> None:
    urls = platform.urls
    lines = [
        console.coloured(f"The platform is up ({seconds:.0f} s). Ctrl-C stops it.", colour="1;32"),
        f"  platform       {urls['public']}",
        f"  API, to try    {urls['docs']}",
        f"  admin          {urls['admin']}",
        f"  sandbox switch {urls['control']}",
        *_core_banking(platform),
        f"  metrics        {urls['metrics']}",
        f"  addresses      {platform.directory.env_file}",
        f"  logs           {platform.directory.logs}",
        f"  phones         {platform.directory.root / 'phones'}",
        *_logins(platform.directory),
    ]
    console.say("\n".join(lines))


def _core_banking(platform: Platform) -> list[str]:
    if platform.environment.get("CORE_BANKING") != host_accounts.ISO8583:
        return []
    return [f"  core banking   {platform.environment['CORE_BANKING_CONTROL_URL']}"]


def _logins(directory: LocalDirectory) -> list[str]:
    """Return how the people of the demonstration data log in."""
    phones = directory.root / "phones"
    lines = []
    if (phones / "staff.json").exists():
        for person in json.loads((phones / "staff.json").read_text()):
            secret = parse_qs(urlsplit(person["totp_url"]).query)["secret"][0]
            lines.append(f"  login          {person['email']}  {person['password']}")
            lines.append(f"                 second factor: TOTP secret {secret}")
    if (phones / "merchant.json").exists():
        merchant = json.loads((phones / "merchant.json").read_text())
        lines.append(f"  merchant       {merchant['vpa']}  API key {merchant['api_key']}")
    return lines
