"""Remove the data of a directory and of the directories inside it."""

from contextlib import ExitStack

from deploy.local import console
from deploy.local.directory import LocalDirectory


def reset(directory: LocalDirectory) -> int:
    """Remove everything but downloads. Raises DirectoryInUseError when one of them is in use."""
    inner = [LocalDirectory(lock.parent) for lock in directory.root.glob("*/lock")]
    with ExitStack() as stack:
        for each in (directory, *inner):
            stack.enter_context(each.held())
        for each in (*inner, directory):
            each.remove()
    console.say(f"removed the data in {directory.root}")
    return 0
