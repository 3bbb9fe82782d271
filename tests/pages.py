"""A published page as before minification: every tag closed, every attribute in quotes."""

from pathlib import Path

from lxml.html import document_fromstring, tostring

_FIRST = ("type", "class", "id")


def whole(path: Path) -> str:
    """Read a page and write out all its tags; of the attributes, id comes first, then class."""
    page = document_fromstring(path.read_text())
    for tag in page.iter():
        attributes = sorted(tag.items())
        tag.attrib.clear()
        tag.attrib.update(sorted(attributes, key=lambda one: one[0] not in _FIRST or -_FIRST.index(one[0])))
    return str(tostring(page, encoding="unicode"))
