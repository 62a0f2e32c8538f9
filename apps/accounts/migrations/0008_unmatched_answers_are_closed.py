"""Who closed an unmatched answer of the host, when and why."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0007_repeats_of_calls'),
    ]

    operations = [
        migrations.AddField(
            model_name='unmatchedanswer',
            name='closed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='unmatchedanswer',
            name='closed_by',
            field=models.CharField(db_default='', default='', max_length=100),
        ),
        migrations.AddField(
            model_name='unmatchedanswer',
            name='closing_reason',
            field=models.CharField(db_default='', default='', max_length=150),
        ),
        migrations.AddIndex(
            model_name='unmatchedanswer',
            index=models.Index(condition=models.Q(('closed_at__isnull', True)), fields=['received_at'], name='unmatched_answer_open'),
        ),
        migrations.AddConstraint(
            model_name='unmatchedanswer',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('closed_by', ''), ('closing_reason', '')), models.Q(('closed_at__isnull', False), models.Q(('closed_by', ''), _negated=True), models.Q(('closing_reason', ''), _negated=True)), _connector='OR'), name='unmatched_answer_is_closed_by_somebody'),
        ),
    ]
