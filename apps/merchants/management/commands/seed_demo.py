"""`manage.py seed_demo`: make up customers, a shop and staff, and print how they log in."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from apps.common import clock
from apps.merchants.seed_files import SeedFiles
from apps.merchants.services import seed_crowd, seed_demo


class Command(BaseCommand):
    """Seeds a development platform; repeating it changes nothing."""

    help = "Make up customers with phones, a merchant and staff. PINs they set themselves."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the folder of the phones, and the size of a crowd."""
        parser.add_argument(
            "--phones",
            type=Path,
            required=True,
            help="folder for device keys, log-ins and keys of the people made up",
        )
        parser.add_argument(
            "--customers", type=int, default=0, help="how many more customers, for load"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed and print."""
        del args
        files = SeedFiles(options["phones"])
        now = clock.now()
        phones = [seed_demo.seed_customer(person, files, at=now) for person in seed_demo.CUSTOMERS]
        shop = seed_demo.seed_merchant(files, at=now)
        staff = seed_demo.seed_staff(files)
        made = seed_crowd.seed_crowd(options["customers"], files, at=now)
        for phone in phones:
            self.stdout.write(f"customer  {phone['vpa']:<20} device {phone['device_id']}")
        self.stdout.write(f"merchant  {shop['vpa']:<20} API key {shop['api_key']}")
        for login in staff:
            self.stdout.write(
                f"staff     {login['email']:<28} {login['password']}  {login['totp_url']}"
            )
        if made:
            self.stdout.write(f"crowd     {made} customers in {files.directory}/load.jsonl")
