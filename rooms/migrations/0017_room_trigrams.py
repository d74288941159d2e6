from django.db import migrations

from web.indexes import AddTrigramIndex, TrigramIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("rooms", "0016_folded_name_index"),
    ]

    operations = [
        AddTrigramIndex(TrigramIndex("room_trigrams", "rooms_room", "folded_name")),
    ]
