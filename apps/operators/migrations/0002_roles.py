"""The roles, as Django groups; what each may do is in apps.operators.roles."""

from django.db import migrations

ROLES = ('Auditor', 'Operations', 'Security officer', 'Platform')


def make_roles(apps, schema_editor):
    groups = apps.get_model('auth', 'Group').objects.using(schema_editor.connection.alias)
    groups.bulk_create(groups.model(name=name) for name in ROLES)


class Migration(migrations.Migration):

    dependencies = [('operators', '0001_initial')]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
