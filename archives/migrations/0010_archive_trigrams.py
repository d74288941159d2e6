from django.db import migrations

from web.indexes import AddTrigramIndex, TrigramIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("archives", "0009_folded_names_index"),
    ]

    operations = [
        AddTrigramIndex(TrigramIndex("archive_trigrams", "archives_archive", "folded_names")),
    ]
