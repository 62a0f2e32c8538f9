"""The back office shows which days of the host were taken, and lets nobody change them."""

import datetime as dt
import hashlib

import pytest
from django.urls import reverse

from apps.settlement.models import HostFile
from tests.operators.factory import make_operator


@pytest.mark.usefixtures("committed")
def test_the_days_that_were_taken_are_listed_with_their_digests():
    digest = hashlib.sha256(b"a file")
    file = HostFile.objects.create(
        business_date=dt.date(2026, 11, 21), digest=digest.digest(), rows=1234
    )
    browser = make_operator(is_superuser=True).client

    listed = browser.get(reverse("admin:settlement_hostfile_changelist")).content.decode()
    shown = browser.get(reverse("admin:settlement_hostfile_change", args=[file.pk]))

    assert "1234" in listed
    assert digest.hexdigest() in shown.content.decode()
    assert 'name="_save"' not in shown.content.decode()
    assert browser.get(reverse("admin:settlement_hostfile_add")).status_code == 403
