"""The keys with which PSPs sign links, and when their list is due."""

from django.db import migrations, models

LISTS = ["PSPS", "PROVIDERS", "KEYS", "PSP_KEYS", "MERCHANTS"]


def add_list(apps, schema_editor):
    pulls = apps.get_model("upi", "DirectoryPull").objects.using(schema_editor.connection.alias)
    # Due with the list of keys: a platform that has pulled one has somebody to ask for the other.
    keys = pulls.filter(pk="KEYS").first()
    pulls.create(id="PSP_KEYS", next_action_at=keys.next_action_at if keys else None)


class Migration(migrations.Migration):
    dependencies = [("upi", "0008_timer_rules")]

    operations = [
        migrations.CreateModel(
            name="PspKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_id", models.CharField(max_length=20)),
                ("owner", models.CharField(max_length=99)),
                ("key_index", models.CharField(max_length=20)),
                (
                    "fingerprint",
                    models.CharField(help_text="SHA-256 of the key's DER form", max_length=64),
                ),
                ("value", models.TextField()),
                ("valid_from_at", models.DateTimeField()),
                ("valid_until_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "PSP key",
                "db_table": "upi_psp_key",
                "constraints": [
                    models.UniqueConstraint(fields=("org_id", "fingerprint"), name="psp_key_once")
                ],
            },
        ),
        migrations.AlterField(
            model_name="directorypull",
            name="id",
            field=models.CharField(
                choices=[(name, name) for name in LISTS],
                max_length=9,
                primary_key=True,
                serialize=False,
            ),
        ),
        migrations.RemoveConstraint("directorypull", "directory_pull_list_is_known"),
        migrations.AddConstraint(
            "directorypull",
            models.CheckConstraint(
                name="directory_pull_list_is_known", condition=models.Q(id__in=LISTS)
            ),
        ),
        migrations.RunPython(add_list, migrations.RunPython.noop),
    ]
