"""Who removes old lines of the host's files is killed after any statement; again ends the same."""

import signal

import pytest
from django.db import connections
from django.db.utils import DatabaseError

from apps.operators.models import AuditEntry
from apps.operators.services import audit
from apps.settlement.models import HostFileLine
from tests.foundry import opened_foundry
from tests.settlement.test_host_lines_retention import LATELY, OLD, TABLE, keep, kept

pytestmark = [pytest.mark.own_books, pytest.mark.usefixtures("committed")]

# Sets Django up once; for each line it forks a process that removes what is old, in batches of two,
# and dies after as many statements, unless it comes to its end before.
FOUNDRY = """
import os, sys
import django
django.setup()
from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string
from apps.common import clock
from apps.operators.services import old_rows
from tests.foundry import die_after
from tests.settlement.test_host_lines_retention import NOW

old_rows.BATCH = 2
retentions = import_string(settings.PARTITION_ROW_RETENTIONS)
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        code, die = 1, die_after(int(line))
        try:
            with connections["default"].execute_wrapper(die), \\
                    connections["owner"].execute_wrapper(die):
                old_rows.remove_old(retentions, now=NOW)
            code = 0
        finally:
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
DEATHS_MAX = 100


@pytest.fixture
def die_after():
    owner = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format_map(
        connections["owner"].settings_dict
    )
    with opened_foundry(FOUNDRY, DATABASE_OWNER_URL=owner) as foundry:
        yield lambda statements: foundry.fork(str(statements))


def is_guarded():
    with connections["owner"].cursor() as cursor:
        try:
            cursor.execute(f'DELETE FROM "{TABLE}"')
        except DatabaseError:
            return True
    return False


def test_a_removal_that_is_killed_after_any_statement_is_done_by_the_next_and_told(die_after):
    keep(OLD, 1, 2, 3)
    keep(LATELY, 4)
    ids = list(HostFileLine.objects.order_by("stan").values_list("pk", flat=True))

    ways, statements, code = [kept()], 1, None
    for _ in range(DEATHS_MAX):
        code = die_after(statements)
        statements += 1
        if kept() != ways[-1]:
            ways.append(kept())
            statements = 1
        if code == 0:
            break
        assert code == -signal.SIGKILL
        assert is_guarded()

    assert code == 0
    assert ways == [[1, 2, 3, 4], [3, 4], [4]]
    assert is_guarded()
    audit.verify()
    told = [
        (entry.detail["rows"], entry.detail["first_id"], entry.detail["last_id"])
        for entry in AuditEntry.objects.filter(action="rows.removed", target=TABLE)
    ]
    assert len(told) > 2
    assert {*told} == {(2, ids[0], ids[1]), (1, ids[2], ids[2])}
