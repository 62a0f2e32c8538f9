"""
Keep credentials out of the planner's statistics.

ANALYZE copies values of a column into pg_statistic, which is logged: so they came to lie in the
WAL and in backups, although their own table does not.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [('upi', '0001_initial')]

    operations = [
        migrations.RunSQL(
            'ALTER TABLE upi_pin_block ALTER COLUMN credentials SET STATISTICS 0',
            migrations.RunSQL.noop,
        ),
    ]
