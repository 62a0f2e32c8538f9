"""Questions to banks for the accounts of a mobile number, and what they found."""

import apps.common.ids
import apps.customers.states
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='AccountListing',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('ifsc', models.CharField(max_length=11)),
                ('transaction_id', models.CharField(max_length=35, unique=True)),
                ('exchange_id', models.UUIDField(unique=True)),
                ('state', models.CharField(choices=[(apps.customers.states.RequestState['CREATED'], apps.customers.states.RequestState['CREATED']), (apps.customers.states.RequestState['SENDING'], apps.customers.states.RequestState['SENDING']), (apps.customers.states.RequestState['SUCCESS'], apps.customers.states.RequestState['SUCCESS']), (apps.customers.states.RequestState['FAILED'], apps.customers.states.RequestState['FAILED']), (apps.customers.states.RequestState['UNKNOWN'], apps.customers.states.RequestState['UNKNOWN'])], default=apps.customers.states.RequestState['CREATED'], max_length=7)),
                ('result_code', models.CharField(blank=True, max_length=20)),
                ('created_at', models.DateTimeField(db_index=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('claim', models.UUIDField(null=True)),
                ('next_action_at', models.DateTimeField(null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('parked_at', models.DateTimeField(null=True)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='listings', to='customers.customer')),
                ('device', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.device')),
            ],
        ),
        migrations.CreateModel(
            name='FoundAccount',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('place', models.PositiveSmallIntegerField()),
                ('account_number', models.CharField(max_length=30)),
                ('ifsc', models.CharField(max_length=11)),
                ('account_type', models.CharField(max_length=12)),
                ('holder_name', models.CharField(max_length=99)),
                ('has_pin', models.BooleanField()),
                ('credentials', models.JSONField(default=list)),
                ('listing', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='accounts', to='customers.accountlisting')),
            ],
        ),
        migrations.AddIndex(
            model_name='accountlisting',
            index=models.Index(condition=models.Q(('next_action_at__isnull', False), ('parked_at__isnull', True)), fields=['next_action_at'], name='account_listing_due'),
        ),
        migrations.AddConstraint(
            model_name='accountlisting',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state__in', ['SUCCESS', 'FAILED'])), models.Q(models.Q(('state__in', ['SUCCESS', 'FAILED']), _negated=True), ('ended_at__isnull', True)), _connector='OR'), name='account_listing_ends_at_an_instant'),
        ),
        migrations.AddConstraint(
            model_name='accountlisting',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['CREATED', 'SENDING'])), fields=('customer', 'ifsc'), name='account_listing_is_asked_once_at_a_time'),
        ),
    ]
