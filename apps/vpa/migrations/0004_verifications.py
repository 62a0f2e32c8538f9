"""Questions whose an address is, and their answers."""

import apps.common.ids
import apps.vpa.contracts
import apps.vpa.states
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('vpa', '0003_closed_addresses'),
    ]

    operations = [
        migrations.CreateModel(
            name='Verification',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('client', models.CharField(max_length=60)),
                ('payer_address', models.CharField(max_length=255)),
                ('payer_name', models.CharField(max_length=99)),
                ('payer_type', models.CharField(choices=[(apps.vpa.contracts.VpaKind['PERSON'], apps.vpa.contracts.VpaKind['PERSON']), (apps.vpa.contracts.VpaKind['ENTITY'], apps.vpa.contracts.VpaKind['ENTITY'])], max_length=6)),
                ('payer_code', models.CharField(max_length=4)),
                ('address', models.CharField(max_length=255)),
                ('transaction_id', models.CharField(max_length=35, unique=True)),
                ('exchange_id', models.UUIDField(unique=True)),
                ('state', models.CharField(choices=[(apps.vpa.states.VerificationState['CREATED'], apps.vpa.states.VerificationState['CREATED']), (apps.vpa.states.VerificationState['SENDING'], apps.vpa.states.VerificationState['SENDING']), (apps.vpa.states.VerificationState['VERIFIED'], apps.vpa.states.VerificationState['VERIFIED']), (apps.vpa.states.VerificationState['REFUSED'], apps.vpa.states.VerificationState['REFUSED']), (apps.vpa.states.VerificationState['UNKNOWN'], apps.vpa.states.VerificationState['UNKNOWN'])], default=apps.vpa.states.VerificationState['CREATED'], max_length=8)),
                ('result_code', models.CharField(blank=True, max_length=20)),
                ('verified_name', models.CharField(blank=True, max_length=99)),
                ('kind', models.CharField(blank=True, max_length=6)),
                ('mcc', models.CharField(blank=True, max_length=4)),
                ('created_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('claim', models.UUIDField(null=True)),
                ('next_action_at', models.DateTimeField(null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('parked_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('next_action_at__isnull', False), ('parked_at__isnull', True)), fields=['next_action_at'], name='verification_due'), models.Index(fields=['client', 'address', 'created_at'], name='verification_of_client')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state__in', ['VERIFIED', 'REFUSED'])), models.Q(models.Q(('state__in', ['VERIFIED', 'REFUSED']), _negated=True), ('ended_at__isnull', True)), _connector='OR'), name='verification_ends_at_an_instant'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'VERIFIED'), _negated=True), models.Q(('verified_name', ''), _negated=True), _connector='OR'), name='verification_names_whom_it_found')],
            },
        ),
    ]
