from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("meetings", "0003_mutes"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="connection",
            options={
                "ordering": ["connected_at", "id"],
                "permissions": [("forget_person", "Can export and forget what is held of people")],
            },
        ),
    ]
