"""README.md, docs/ and what they link to, as pages below /readme."""

import re
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin

import pytest

from tests.server_process import ROOT, Connection
from web.documents import FILES, document

DOCUMENTS = [path for path in FILES if path.endswith(".md")]


class Page(HTMLParser):
    """The addresses that a page links to or shows, and the ids in it."""

    def __init__(self, html):
        super().__init__()
        self.addresses, self.ids = [], set()
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.addresses += [found[name] for name in ("href", "src") if name in found]
        self.ids.add(found.get("id"))


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_is_a_page_with_its_title(path, client):
    answer = client.get(f"/readme/{path}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    title = (ROOT / path).read_text().splitlines()[0].removeprefix("# ")
    assert f"<title>{title} · OpenTok Rooms</title>" in answer.content.decode()
    assert client.get(f"/readme/{path}/").content == answer.content


def test_what_is_wide_is_scrolled_with_the_keyboard_and_no_heading_of_a_table_is_empty(client):
    page = client.get("/readme").content.decode()
    for wide in ("<pre", "<table"):
        assert page.count(f'{wide} tabindex="0">') == page.count(wide) > 0
    assert "<th></th>" not in page


def test_the_readme_is_at_readme(client):
    answer = client.get("/readme")
    assert answer.content == client.get("/readme/").content
    assert answer.content == client.get("/readme/README.md").content
    assert '<h1 id="opentok-rooms">OpenTok Rooms</h1>' in answer.content.decode()


def test_the_files_that_the_documents_need_are_there():
    assert {"README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md",
            "bench/RESULTS.md", "emulator/README.md"} <= set(DOCUMENTS)  # fmt: skip
    assert all(f"docs/{file.name}" in FILES for file in (ROOT / "docs").iterdir())


@pytest.mark.parametrize("path", DOCUMENTS)
def test_each_link_within_the_documents_leads_somewhere_on_the_server(path, client):
    for address in Page(document(path).html).addresses:
        if address.startswith(("https://", "http://")):
            continue
        place, anchor = urldefrag(urljoin(f"/readme/{path}", address))
        answer = client.get(place)
        assert answer.status_code == 200, address
        if anchor:
            assert anchor in Page(answer.content.decode()).ids, address


@pytest.mark.parametrize("path", DOCUMENTS)
def test_each_link_within_the_documents_leads_somewhere_on_github(path):
    text = re.sub(r"(?ms)^```.*?^```|`[^`\n]*`", "", (ROOT / path).read_text())
    for address in re.findall(r"\]\(([^)\s]+)\)", text):
        if not address.startswith(("https://", "http://", "#")):
            assert ((ROOT / path).parent / urldefrag(address)[0]).is_file(), address


def test_another_file_is_not_found(server):
    others = ["nothing.md", "readme.md", "LICENSE", "manage.py", ".env.example", "docs", "docs/",
              "bench/lists.py", "docs/../README.md", "docs/%2e%2e/README.md", "docs%2Fapi.md",
              "../manage.py", "/etc/passwd", "%2Fetc%2Fpasswd", "README.md//"]  # fmt: skip
    connection = Connection(server.port)
    assert {path: connection.status(f"/readme/{path}") for path in others} == dict.fromkeys(
        others, 404
    )
    assert connection.status("/readme/README.md") == 200
    assert server.get("/readme/nothing.md").json()["code"] == "not_found"
