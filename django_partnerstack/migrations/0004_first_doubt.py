from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('partnerstack', '0003_attribution'),
    ]

    operations = [
        migrations.AddField(
            model_name='outboxmessage',
            name='first_doubt_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
