"""Descriptions: escaped, with code where the backticks are."""

import pytest

from ordu.web.render import prose


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain", "plain"),
        ("what follows `###`", "what follows <code>###</code>"),
        ("<b> and `<i>`", "&lt;b&gt; and <code>&lt;i&gt;</code>"),
        ("a lone ` stays", "a lone ` stays"),
    ],
)
def test_prose(text, html):
    assert prose(text) == html
