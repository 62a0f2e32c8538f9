"""What every job agrees on is written once: nobody changes it afterwards."""

from django.db import migrations

from apps.common.partitions import AppendOnly


class Migration(migrations.Migration):

    dependencies = [("payments", "0002_legal_moves")]

    operations = [AppendOnly("Transaction")]
