# Of the release, which CHANGELOG.md describes: see CONTRIBUTING.md.
VERSION = "1.0.0"
