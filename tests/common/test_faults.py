"""A fault point kills the process that was told to die there, and no other."""

import subprocess
import sys

SCRIPT = """
import os, django
from django.conf import settings
settings.configure(FAULT_AT=os.environ["AT"], FAULT_TRACE=os.environ["TRACE"])
from apps.common.faults import fault_point
for name in ("api.recorded", "debit.posted", "debit.answered"):
    fault_point(name)
print("alive")
"""


def run(at: str, trace: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={"AT": at, "TRACE": trace, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_process_dies_at_the_point_that_is_named():
    assert run("debit.posted").returncode == -9


def test_other_points_are_passed(tmp_path):
    trace = tmp_path / "trace"

    done = run("credit.posted", str(trace))

    assert done.stdout == "alive\n"
    assert trace.read_text().split() == ["api.recorded", "debit.posted", "debit.answered"]


def test_with_a_file_only_the_first_process_dies(tmp_path):
    once = f"debit.posted:{tmp_path / 'died'}"

    assert [run(once).returncode for _ in range(3)] == [-9, 0, 0]
