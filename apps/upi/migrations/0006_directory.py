"""What the switch lists once a day, and when each list is due."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


def add_lists(apps, schema_editor):
    pulls = apps.get_model("upi", "DirectoryPull").objects.using(schema_editor.connection.alias)
    # Due when first asked for: a platform that is being made has nobody to ask yet.
    for name in ("PSPS", "PROVIDERS", "KEYS", "MERCHANTS"):
        pulls.create(id=name)


class Migration(migrations.Migration):

    dependencies = [
        ('upi', '0005_peer_state'),
    ]

    operations = [
        migrations.CreateModel(
            name='AccountProvider',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ifsc', models.CharField(max_length=11, unique=True)),
                ('iin', models.CharField(max_length=11)),
                ('name', models.CharField(max_length=99)),
                ('is_active', models.BooleanField()),
                ('products', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), default=list, size=None)),
                ('registration_format', models.CharField(default='', max_length=20)),
                ('versions', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=7), default=list, size=None)),
                ('modified_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'account provider',
                'db_table': 'upi_account_provider',
            },
        ),
        migrations.CreateModel(
            name='Psp',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=99, unique=True)),
                ('handles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), size=None)),
                ('is_active', models.BooleanField()),
                ('versions', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=7), default=list, size=None)),
                ('modified_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'PSP',
                'db_table': 'upi_psp',
            },
        ),
        migrations.CreateModel(
            name='VerifiedMerchant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(max_length=255, unique=True)),
                ('name', models.CharField(max_length=99)),
                ('logo', models.CharField(default='', max_length=255)),
                ('url', models.CharField(default='', max_length=255)),
                ('keys', models.JSONField(default=list)),
            ],
            options={
                'verbose_name': 'verified merchant',
                'db_table': 'upi_verified_merchant',
            },
        ),
        migrations.CreateModel(
            name='DirectoryPull',
            fields=[
                ('id', models.CharField(choices=[('PSPS', 'PSPS'), ('PROVIDERS', 'PROVIDERS'), ('KEYS', 'KEYS'), ('MERCHANTS', 'MERCHANTS')], max_length=9, primary_key=True, serialize=False)),
                ('state', models.CharField(default='IDLE', max_length=5)),
                ('exchange_id', models.UUIDField(null=True, unique=True)),
                ('pages', models.SmallIntegerField(default=0)),
                ('begun_at', models.DateTimeField(null=True)),
                ('result_code', models.CharField(default='', max_length=20)),
                ('pulled_at', models.DateTimeField(null=True)),
                ('rows', models.IntegerField(default=0)),
                ('claim', models.UUIDField(null=True)),
                ('next_action_at', models.DateTimeField(null=True)),
                ('attempts', models.SmallIntegerField(default=0)),
                ('parked_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'directory pull',
                'db_table': 'upi_directory_pull',
                'indexes': [models.Index(condition=models.Q(('next_action_at__isnull', False)), fields=['next_action_at'], name='directory_pull_due')],
                'constraints': [models.CheckConstraint(condition=models.Q(('id__in', ['PSPS', 'PROVIDERS', 'KEYS', 'MERCHANTS'])), name='directory_pull_list_is_known'), models.CheckConstraint(condition=models.Q(('state', 'IDLE'), models.Q(('exchange_id__isnull', False), ('state', 'ASKED')), _connector='OR'), name='directory_pull_asks_on_an_exchange')],
            },
        ),
        migrations.CreateModel(
            name='DirectoryPage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.SmallIntegerField()),
                ('entries', models.JSONField()),
                ('pull', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='stored_pages', to='upi.directorypull')),
            ],
            options={
                'db_table': 'upi_directory_page',
                'constraints': [models.UniqueConstraint(fields=('pull', 'number'), name='directory_page_once')],
            },
        ),
        migrations.RunPython(add_lists, migrations.RunPython.noop),
    ]
