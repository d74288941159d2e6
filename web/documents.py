"""The project's documents as pages: README.md, docs/ and the others that these link to.

A file has the same place below `/readme/` as in the repository, so that the links between the files
lead to the same places on GitHub and here.
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

if TYPE_CHECKING:
    from markdown_it.token import Token

NAMES = (
    "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "bench/RESULTS.md",
    "emulator/README.md", "docs/*.md", "docs/*.png", "docs/*.svg",
)  # fmt: skip
# No other path reaches the file system.
FILES = {
    file.relative_to(settings.BASE_DIR).as_posix(): file
    for name in NAMES
    for file in settings.BASE_DIR.glob(name)
}

ACCESSIBLE = {
    "<pre>": '<pre tabindex="0">',
    "<table>": '<table tabindex="0">',
    "<th></th>": "<td></td>",
}


@dataclass(frozen=True)
class Document:
    title: str
    html: SafeString


@cache
def document(path: str) -> Document:
    """The page of a Markdown file, which is one of FILES."""
    # Imported here, since few servers are ever asked for a document.
    from markdown_it import MarkdownIt

    # HTML in a document is text.
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(FILES[path].read_text(encoding="utf-8"))
    headings = [after for token, after in pairwise(tokens) if token.type == "heading_open"]
    _name_headings(tokens)
    for token in tokens:
        for child in token.children or ():
            _complete_links(child, path)
    html = markdown.renderer.render(tokens, markdown.options, {})
    # So that the keyboard can scroll what is wide, and no empty cell is announced as a heading.
    for plain, accessible in ACCESSIBLE.items():
        html = html.replace(plain, accessible)
    return Document(headings[0].content, mark_safe(html))  # noqa: S308 - markdown-it has escaped it


def _name_headings(tokens: list["Token"]) -> None:
    """Give each heading the id that it has on GitHub, for links to it."""
    seen: Counter[str] = Counter()
    for token, after in pairwise(tokens):
        if token.type == "heading_open":
            words = "".join(child.content for child in after.children or ())
            name = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            token.attrSet("id", f"{name}-{seen[name]}" if seen[name] else name)
            seen[name] += 1


def _complete_links(token: "Token", path: str) -> None:
    """`/readme` is in no folder, so that links that are relative to the file would miss there."""
    for attribute in ("href", "src"):
        address = token.attrs.get(attribute)
        if address and not str(address).startswith("#"):
            token.attrSet(attribute, urljoin(f"/readme/{path}", str(address)))
