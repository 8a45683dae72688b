"""Links are taken apart once, and what is no good link is refused."""

import pytest

from ordu.images.targets import LINK_LENGTH_MAX, is_link, target_of
from ordu.protocol.errors import Refused


@pytest.mark.parametrize(
    ("link", "host", "port"),
    [
        pytest.param("http://Example.ORG/x", "example.org", 80, id="a name in capitals"),
        pytest.param("https://example.org./x", "example.org", 443, id="a dot at the end"),
        pytest.param("https://example.org:8443", "example.org", 8443, id="a port"),
        pytest.param("http://bücher.example/", "xn--bcher-kva.example", 80, id="an umlaut"),
        pytest.param("http://8.8.8.8/", "8.8.8.8", 80, id="IPv4"),
        pytest.param("http://[2606:4700::1]:81/", "2606:4700::1", 81, id="IPv6"),
        pytest.param("http://127。0。0。1/", "127.0.0.1", 80, id="dots of another script"),
    ],
)
def test_a_link_is_taken_apart(link, host, port):
    target = target_of(link)
    assert (target.host, target.port) == (host, port)


@pytest.mark.parametrize(
    "link",
    [
        pytest.param("ftp://example.org/x", id="ftp"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("data:image/png;base64,AAAA", id="data"),
        pytest.param("javascript:alert(1)", id="javascript"),
        pytest.param("gopher://example.org:70/_x", id="gopher"),
        pytest.param("//example.org/x", id="no scheme"),
        pytest.param("http:///x", id="no host"),
        pytest.param("http://ferris@example.org/", id="a user"),
        pytest.param("http://ferris:secret@example.org/", id="a user and a password"),
        pytest.param("http://example.org\\@127.0.0.1/", id="a backslash before a host"),
        pytest.param("http://example.org:0/", id="port 0"),
        pytest.param("http://example.org:65536/", id="port 65536"),
        pytest.param("http://example.org:http/", id="a port in words"),
        pytest.param("http://2130706433/", id="IPv4 as one number"),
        pytest.param("http://0x7f000001/", id="IPv4 in hex"),
        pytest.param("http://0x7f.1/", id="IPv4 in hex, short"),
        pytest.param("http://0177.0.0.1/", id="IPv4 in octal"),
        pytest.param("http://127.1/", id="IPv4, short"),
        pytest.param("http://1.2.3.4.5/", id="a number at the end"),
        pytest.param("http://①②⑦.0.0.1/", id="digits in circles"),
        pytest.param("http://%31%32%37.0.0.1/", id="a host in percents"),
        pytest.param("http://[fe80::1%25eth0]/", id="an IPv6 zone"),
        pytest.param("http://[::1/", id="half a bracket"),
        pytest.param("http://a..example/", id="two dots"),
        pytest.param("http://exam ple.org/", id="a blank in the host"),
        pytest.param("http://example.org/\r\nX: y", id="a line break"),
        pytest.param("http://" + "a" * 64 + ".example/", id="a label too long"),
        pytest.param("http://example.org/" + "x" * LINK_LENGTH_MAX, id="too long"),
    ],
)
def test_a_bad_link_is_refused(link):
    with pytest.raises(Refused) as caught:
        target_of(link)
    assert (caught.value.rc, caught.value.status) == ("SourceImageUrlInvalid", 400)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://example.org/x", True),
        ("HTTPS://example.org/x", True),
        ("file:///etc/passwd", True),
        ("data:image/png;base64,AAAA", False),
        ("httpAAAA", False),
        ("UklGRg==", False),
    ],
)
def test_is_link(text, expected):
    assert is_link(text) is expected
