"""Find payments by the code that they were declined with, whichever code the switch put before."""

import datetime as dt
import re
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from apps.common import clock
from apps.payments.declines import declines
from apps.payments.models import Leg

DAYS_SHOWN = 7
CODES_SHOWN = 30
_CODE = re.compile(r"[A-Z0-9]{2,4}")
_ENDED = ("DECLINED", "REFUSED", "FAILED")


class DeclineCodeFilter(SimpleListFilter):
    """The codes of the last days, the most frequent first: U30~Z9 is counted as Z9."""

    title = "code of the last 7 days"
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the codes that there are, with their numbers."""
        del request, model_admin
        today = clock.business_date(clock.now())
        counted: dict[str, int] = {}
        meanings: dict[str, str] = {}
        for row in declines(first=today - dt.timedelta(days=DAYS_SHOWN - 1), last=today):
            counted[row.code] = counted.get(row.code, 0) + row.count
            meanings[row.code] = row.meaning
        most = sorted(counted, key=lambda code: (-counted[code], code))[:CODES_SHOWN]
        return [(code, f"{code}: {meanings[code]} ({counted[code]})") for code in most]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        """Return the payments of which a leg ended with this inner code."""
        del request
        code = self.value()
        if not code:
            return queryset
        if not _CODE.fullmatch(code):
            return queryset.none()
        begin = clock.now() - dt.timedelta(days=DAYS_SHOWN)
        is_code = Q(code=code) | Q(code__endswith=f"~{code}") | Q(code__contains=f"~{code}|")
        legs = Leg.objects.filter(is_code, state__in=_ENDED, changed_at__gte=begin)
        return queryset.filter(pk__in=legs.values("transaction_id"))
