"""The development platform with bugs planted: for the trial of the judge, and nothing else."""
# ruff: noqa: F403, F405 - settings are built on one another

from upi_platform.settings.development import *

INSTALLED_APPS = [*INSTALLED_APPS, "tests.conformance.plants.apps.PlantsConfig"]
