"""The proof: our books balance, and they are the switch's own journal."""

import subprocess

from deploy.local import environment
from deploy.local.demo import timeline
from deploy.local.demo.page import Page
from deploy.local.demo.stage import Stage
from deploy.local.directory import REPOSITORY
from deploy.local.process_file import PYTHON


def prove(stage: Stage, page: Page) -> None:
    """Compare sums, positions and the day file; print what held."""
    page.expect("all our accounts sum to zero", found=timeline.books_sum(), wanted=0)
    positions = stage.control("GET", "/journal/positions")
    for name in ("payable", "receivable"):
        page.expect(
            f"what we call {name} to the switch is what its journal says of us",
            found=timeline.switch_position(name),
            wanted=positions[f"{name}_paise"],
        )
    page.expect(
        "the switch's own journal sums to zero", found=positions["all_banks_paise"], wanted=0
    )
    page.expect("every payment has ended", found=timeline.open_payments(), wanted=[])
    done = subprocess.run(
        [PYTHON, "manage.py", "reconcile", "--switch-control", stage.platform.urls["control"]],
        cwd=REPOSITORY,
        env=environment.inherited() | stage.platform.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    # One that broke has said why on its other stream.
    for line in (done.stdout or done.stderr).splitlines():
        page.line(line)
    page.expect("reconciliation with the day file finds no break", found=done.returncode, wanted=0)
