"""Who is asking: browsers name HTML, programs name JSON or nothing."""

import pytest

from ordu.web.document import Document
from ordu.web.negotiation import is_for_programs, prefers_html, prefers_json, quality

FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "html", "json"),
    [
        pytest.param(FIREFOX, True, False, id="a browser"),
        pytest.param("*/*", False, False, id="anything"),
        pytest.param("", False, False, id="nothing said"),
        pytest.param("application/json", False, True, id="JSON"),
        pytest.param("application/json, text/html;q=0.5", False, True, id="JSON first"),
        pytest.param("text/html;q=0.5, application/json;q=0.4", True, False, id="HTML first"),
        pytest.param("text/html, application/json", True, False, id="both alike"),
        pytest.param("text/html;q=0", False, False, id="no HTML"),
        pytest.param("TEXT/HTML ; q=1", True, False, id="capitals"),
        pytest.param("text/html;q=much", False, False, id="a weight that is none"),
        pytest.param("text/html;q=nan", False, False, id="a weight that is no number"),
    ],
)
def test_preference(accept, html, json):
    assert (prefers_html(accept), prefers_json(accept)) == (html, json)


def test_a_weight_stays_between_nothing_and_all():
    assert quality("text/html;q=7", "text/html") == 1
    assert quality("text/html;q=-7", "text/html") == 0


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v2/users", "/v1/models"])
def test_paths_of_programs(path):
    assert is_for_programs(path)


@pytest.mark.parametrize("path", ["/", "/register", "/apiary", "/v10"])
def test_paths_of_people(path):
    assert not is_for_programs(path)


def test_a_document_is_known_by_its_mark_in_any_form():
    document = Document(b"a", "text/plain")
    assert document.is_known(f'"x", {document.etag}')
    assert document.is_known(document.etag.removeprefix("W/"))
    assert document.is_known("*")
    assert not document.is_known("")
