from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archives", "0005_room_name_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="archive",
            name="share_generation",
            field=models.IntegerField(db_default=0, default=0, editable=False),
        ),
    ]
