"""How calls about other calls are found: an enquiry by its leg, and what is about a call."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0008_unmatched_answers_are_closed'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='corebankingcall',
            index=models.Index(condition=models.Q(('kind', 'ENQUIRY')), fields=['leg_id'], name='core_banking_call_enquiry'),
        ),
        migrations.AddIndex(
            model_name='corebankingcall',
            index=models.Index(condition=models.Q(('original__isnull', False)), fields=['original'], name='core_banking_call_original'),
        ),
    ]
