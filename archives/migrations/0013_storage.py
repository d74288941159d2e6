from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archives", "0012_size_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="archive",
            name="storage_due_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="archive",
            name="storage_error",
            field=models.TextField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="archive",
            name="storage_upload",
            field=models.TextField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="archive",
            name="stored_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="archive",
            name="stored_bytes",
            field=models.BigIntegerField(blank=True, editable=False, null=True),
        ),
    ]
