"""`manage.py certify`: play the conformance cases against the running platform."""

import time
from argparse import ArgumentParser
from contextlib import ExitStack
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from conformance import evidence, report, runner
from conformance.case import Case
from conformance.cases import CASES
from conformance.people import NotEnoughCustomersError
from conformance.place import TIMEOUT_SECONDS, Control, Place


class Command(BaseCommand):
    """Plays all cases, or some, prints a table, and exits with 1 unless all of them passed."""

    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say what may be chosen."""
        parser.add_argument("--phones", type=Path, default=Path(".local/phones"))
        parser.add_argument("--keys", type=Path, default=settings.KEYS_DIRECTORY)
        parser.add_argument("--public-url", default=settings.PUBLIC_URL)
        parser.add_argument("--control-url", default=settings.SMS_GATEWAY_URL)
        parser.add_argument("--only", help="a pattern of ids, such as 'REM-3*'")
        parser.add_argument("--sample", type=int, help="draw so many, by --seed")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--lanes", type=int, default=runner.LANES)
        parser.add_argument("--first-customer", type=int, default=0, help="leave out so many")
        parser.add_argument("--json", type=Path, help="write the run as JSON")
        parser.add_argument("--evidence", type=Path, help="write a zip of evidence")
        parser.add_argument("--list", action="store_true", help="show the cases and stop")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Play."""
        shown = report.Report()
        cases = _chosen(options)
        if options["list"]:
            for case in cases:
                shown.line(f"{case.id}  {case.title}: given {case.given}; then {case.then}")
            return
        place = Place(
            public_url=options["public_url"],
            control_url=options["control_url"],
            phones=options["phones"],
            keys=options["keys"],
            platform_scale=float(settings.UPI_TIMER_SCALE),
            first_customer=options["first_customer"],
        )
        with httpx.Client(timeout=TIMEOUT_SECONDS) as client:
            if not _play(cases, place, Control(place.control_url, client), options, shown):
                raise CommandError("not every case passed", returncode=1)


def _chosen(options: dict[str, Any]) -> list[Case]:
    pattern = options["only"]
    cases = [case for case in CASES if pattern is None or fnmatch(case.id, pattern)]
    if options["sample"] is not None:
        cases = runner.sample(cases, seed=options["seed"], size=options["sample"])
    if not cases:
        raise CommandError("no case has such an id")
    return cases


def _play(
    cases: list[Case],
    place: Place,
    control: Control,
    options: dict[str, Any],
    shown: report.Report,
) -> bool:
    lanes = min(options["lanes"], len(cases))
    scale = control.scale()
    shown.line(
        f"{len(cases)} cases in {lanes} lanes; time limits of the platform x {place.platform_scale}"
        f", of the switch x {scale}"
    )
    began_at, begun = report.began_at(), time.monotonic()
    try:
        with ExitStack() as stack:
            witness = stack.enter_context(evidence.witnessed(control.url))
            done = stack.enter_context(shown.progress(len(cases)))
            verdicts = runner.run(cases, place, lanes=lanes, done=done)
    except NotEnoughCustomersError as error:
        raise CommandError(str(error)) from error
    run = report.facts(
        began_at=began_at,
        seconds=time.monotonic() - begun,
        lanes=lanes,
        platform_scale=place.platform_scale,
        switch_scale=scale,
    )
    shown.table(verdicts)
    shown.line(f"  {run.seconds} s, commit {run.commit}")
    if options["json"]:
        report.write_json(options["json"], run, verdicts)
    if options["evidence"]:
        evidence.write(options["evidence"], run, verdicts, witness, control.journal)
    return all(verdict.passed for verdict in verdicts)
