"""Caps on how often others may ask us, beside those on our calls."""

import apps.upi.budget_models
import django.contrib.postgres.constraints
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('upi', '0009_psp_keys'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='apicap',
            name='api_cap_api_is_known',
        ),
        migrations.RemoveConstraint(
            model_name='apicap',
            name='api_cap_balenq_does_not_overlap',
        ),
        migrations.RemoveConstraint(
            model_name='apicap',
            name='api_cap_listaccount_does_not_overlap',
        ),
        migrations.RemoveConstraint(
            model_name='apicap',
            name='api_cap_listkeys_does_not_overlap',
        ),
        migrations.RemoveConstraint(
            model_name='apicap',
            name='api_cap_listpspkeys_does_not_overlap',
        ),
        migrations.RemoveConstraint(
            model_name='apicap',
            name='api_cap_listvae_does_not_overlap',
        ),
        migrations.RemoveConstraint(
            model_name='apicap',
            name='api_cap_managevae_does_not_overlap',
        ),
        migrations.RemoveConstraint(
            model_name='apicap',
            name='api_cap_listpsp_does_not_overlap',
        ),
        migrations.RemoveConstraint(
            model_name='apicap',
            name='api_cap_listaccpvd_does_not_overlap',
        ),
        migrations.RemoveConstraint(
            model_name='apicap',
            name='api_cap_chktxn_does_not_overlap',
        ),
        migrations.RemoveIndex(
            model_name='apiuse',
            name='api_use_of_subject',
        ),
        migrations.AddField(
            model_name='apicap',
            name='direction',
            field=models.CharField(choices=[('OUT', 'OUT'), ('IN', 'IN')], default='OUT', max_length=3),
        ),
        migrations.AddField(
            model_name='apiuse',
            name='direction',
            field=models.CharField(default='OUT', max_length=3),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='apiuse',
            name='subject_kind',
            field=models.CharField(default='CUSTOMER', max_length=11),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name='apicap',
            name='api',
            field=models.CharField(choices=[('BalEnq', 'BalEnq'), ('ListAccount', 'ListAccount'), ('ListKeys', 'ListKeys'), ('ListPSPKeys', 'ListPSPKeys'), ('ListVae', 'ListVae'), ('ManageVae', 'ManageVae'), ('ListPsp', 'ListPsp'), ('ListAccPvd', 'ListAccPvd'), ('ChkTxn', 'ChkTxn'), ('ValAdd', 'ValAdd')], max_length=20),
        ),
        migrations.AddIndex(
            model_name='apiuse',
            index=models.Index(fields=['direction', 'api', 'subject', 'used_at'], name='api_use_of_subject'),
        ),
        migrations.AddConstraint(
            model_name='apicap',
            constraint=models.CheckConstraint(condition=models.Q(('api__in', ['BalEnq', 'ListAccount', 'ListKeys', 'ListPSPKeys', 'ListVae', 'ManageVae', 'ListPsp', 'ListAccPvd', 'ChkTxn', 'ValAdd'])), name='api_cap_api_is_known'),
        ),
        migrations.AddConstraint(
            model_name='apicap',
            constraint=models.CheckConstraint(condition=models.Q(('direction__in', ['OUT', 'IN'])), name='api_cap_direction_is_known'),
        ),
        migrations.AddConstraint(
            model_name='apicap',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'BalEnq'), ('direction', 'OUT')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_balenq_does_not_overlap'),
        ),
        migrations.AddConstraint(
            model_name='apicap',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ListAccount'), ('direction', 'OUT')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_listaccount_does_not_overlap'),
        ),
        migrations.AddConstraint(
            model_name='apicap',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ListKeys'), ('direction', 'OUT')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_listkeys_does_not_overlap'),
        ),
        migrations.AddConstraint(
            model_name='apicap',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ListPSPKeys'), ('direction', 'OUT')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_listpspkeys_does_not_overlap'),
        ),
        migrations.AddConstraint(
            model_name='apicap',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ListVae'), ('direction', 'OUT')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_listvae_does_not_overlap'),
        ),
        migrations.AddConstraint(
            model_name='apicap',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ManageVae'), ('direction', 'OUT')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_managevae_does_not_overlap'),
        ),
        migrations.AddConstraint(
            model_name='apicap',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ListPsp'), ('direction', 'OUT')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_listpsp_does_not_overlap'),
        ),
        migrations.AddConstraint(
            model_name='apicap',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ListAccPvd'), ('direction', 'OUT')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_listaccpvd_does_not_overlap'),
        ),
        migrations.AddConstraint(
            model_name='apicap',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ChkTxn'), ('direction', 'OUT')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_chktxn_does_not_overlap'),
        ),
        migrations.AddConstraint(
            model_name='apicap',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ValAdd'), ('direction', 'OUT')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_valadd_does_not_overlap'),
        ),
        migrations.AddConstraint(
            model_name='apicap',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ListAccount'), ('direction', 'IN'), ('subject_kind', 'CUSTOMER')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_in_listaccount_customer_does_not_overlap'),
        ),
        migrations.AddConstraint(
            model_name='apicap',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ListAccount'), ('direction', 'IN'), ('subject_kind', 'PSP')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_in_listaccount_psp_does_not_overlap'),
        ),
        migrations.AddConstraint(
            model_name='apicap',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ValAdd'), ('direction', 'IN'), ('subject_kind', 'CUSTOMER')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_in_valadd_customer_does_not_overlap'),
        ),
        migrations.AddConstraint(
            model_name='apicap',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ValAdd'), ('direction', 'IN'), ('subject_kind', 'PSP')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_in_valadd_psp_does_not_overlap'),
        ),
    ]
