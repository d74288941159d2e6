"""Static files under names that carry a hash of their content, when there is a manifest."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ForgivingManifestStorage(CompressedManifestStaticFilesStorage):
    """Falls back to the plain name of a file that was never collected.

    The strict storage turns a forgotten `collectstatic` into a 500 on each page that links a file.
    """

    manifest_strict = False

    def load_manifest(self) -> tuple[dict[str, str], str]:
        """What `collectstatic` wrote; nothing if it was interrupted."""
        try:
            paths, digest = super().load_manifest()
        except ValueError:
            return {}, ""
        return paths, digest

    def stored_name(self, name: str) -> str:
        try:
            return str(super().stored_name(name))
        except ValueError:
            return name
