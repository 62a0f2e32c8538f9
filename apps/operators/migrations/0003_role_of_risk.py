"""The role of risk, as a Django group."""

from django.db import migrations

ROLE = "Risk"


def make_role(apps, schema_editor):
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    groups.get_or_create(name=ROLE)


class Migration(migrations.Migration):
    dependencies = [("operators", "0002_roles")]

    operations = [migrations.RunPython(make_role, migrations.RunPython.noop)]
