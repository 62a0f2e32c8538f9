"""Watch the run for the search at its end, and put that search last, however tests are shuffled."""

import os
from collections.abc import Iterator

import pytest

from tests.leaks.recording import CANARY_FILE, Place, Recording

_PLACE = pytest.StashKey[Place | None]()
_RECORDING = pytest.StashKey[Recording]()


class Recorder:
    """Keeps what the tests print, and stops watching when the run ends."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        with self.recording.output.open("a") as output:
            output.writelines(f"{report.nodeid}\n{text}\n" for _, text in report.sections)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        del os.environ[CANARY_FILE]
        self.recording.end(forget=exitstatus == pytest.ExitCode.OK)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "last_of_all: runs when every other test has run")
    config.stash[_PLACE] = Place.of_environment()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_is_last)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Watch only a run that ends with the search, on servers that can be watched."""
    config = session.config
    place = config.stash[_PLACE]
    if place is None or config.option.collectonly or not any(map(_is_last, session.items)):
        return
    recording = Recording.begin(place)
    # Every process that a test starts inherits it, the sandbox's among them.
    os.environ[CANARY_FILE] = str(recording.canary_file)
    config.stash[_RECORDING] = recording
    config.pluginmanager.register(Recorder(recording))


@pytest.fixture(scope="session")
def recording(pytestconfig: pytest.Config) -> Iterator[Recording]:
    """The run as it is watched; on its own if nothing else asked for it."""
    watched = pytestconfig.stash.get(_RECORDING, None)
    place = pytestconfig.stash[_PLACE]
    if watched is not None:
        yield watched
    elif place is None:
        pytest.skip("the servers are not this directory's own: they do not show what they wrote")
    else:
        own = Recording.begin(place)
        yield own
        own.end(forget=True)


def _is_last(item: pytest.Item) -> bool:
    return item.get_closest_marker("last_of_all") is not None
