"""What a browser sends of a form that nobody has touched."""

from html.parser import HTMLParser


class Form(HTMLParser):
    """`Form(page).fields`: all values that are sent, by name, without those of buttons."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._select = self._textarea = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        name = given.get("name", "")
        if tag == "input" and name and given.get("type") not in {"submit", "button"}:
            is_box = given.get("type") in {"checkbox", "radio"}
            if not is_box or "checked" in given:
                self.fields[name] = given.get("value", "on" if is_box else "")
        elif tag == "textarea":
            self._textarea, self.fields[name] = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self.fields[self._select] = given["value"]

    def handle_endtag(self, tag):
        if tag == "textarea":
            # A line break right after the tag is not part of the text.
            self.fields[self._textarea] = self.fields[self._textarea].removeprefix("\n")
            self._textarea = ""
        elif tag == "select":
            self._select = ""

    def handle_data(self, data):
        if self._textarea:
            self.fields[self._textarea] += data
