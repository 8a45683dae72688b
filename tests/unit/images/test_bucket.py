"""Which bucket a URL means, and what is said of one that means none."""

import pytest

from ordu.images.bucket import Bucket, bucket_of

AMAZON = Bucket("pictures", "", None, None, None, is_path_style=False)
HERE = "http://127.0.0.1:9000"


def test_a_bucket_at_amazon():
    assert bucket_of("s3://pictures", {}) == AMAZON
    assert bucket_of("s3://pictures/?region=eu-central-1", {}).region == "eu-central-1"


def test_a_bucket_elsewhere_with_everything():
    url = (
        "s3://pictures/my/horde/?endpoint=http://10.0.0.5:9000/&region=garage"
        "&public_endpoint=https%3A%2F%2Fs3.example.org&path_style=off"
    )
    assert bucket_of(url, {}) == Bucket(
        name="pictures",
        prefix="my/horde",
        endpoint="http://10.0.0.5:9000",
        public_endpoint="https://s3.example.org",
        region="garage",
        is_path_style=False,
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("s3://pictures", False, id="Amazon wants the bucket in the host"),
        pytest.param(f"s3://pictures?endpoint={HERE}", True, id="others have one host"),
        pytest.param("s3://my.pictures", True, id="no certificate fits a name with dots"),
        pytest.param("s3://pictures?path_style=on", True, id="said"),
        pytest.param(f"s3://pictures?endpoint={HERE}&path_style=off", False, id="said otherwise"),
    ],
)
def test_where_the_bucket_stands(url, expected):
    assert bucket_of(url, {}).is_path_style is expected


def test_an_endpoint_with_the_bucket_in_its_host():
    bucket = bucket_of("s3://pictures?endpoint=https://s3.example.org:9000&path_style=off", {})
    assert bucket.endpoint_with_bucket(bucket.endpoint) == "https://pictures.s3.example.org:9000"
    assert bucket.endpoint_with_bucket(None) is None


def test_the_environment_says_the_endpoint_where_the_url_does_not():
    there = {"AWS_ENDPOINT_URL": "https://a.test", "AWS_ENDPOINT_URL_S3": "https://b.test"}
    assert bucket_of("s3://pictures", there).endpoint == "https://b.test"
    assert bucket_of(f"s3://pictures?endpoint={HERE}", there).endpoint == HERE
    assert bucket_of("s3://pictures", {"AWS_ENDPOINT_URL": ""}) == AMAZON


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("s3://", "names no bucket"),
        ("s3:///folder", "names no bucket"),
        ("s3://UPPER", "names no bucket"),
        ("s3://ab", "names no bucket"),
        ("s3://pictures:80", "names no bucket"),
        ("s3://pictures/a b", "prefix"),
        ("s3://pictures/../other", "prefix"),
        ("s3://pictures/a//b", "prefix"),
        ("s3://pictures/a#b", "prefix"),
        ("s3://pictures?endpiont=http://x", "no option endpiont"),
        ("s3://pictures?region=a&region=b", "twice"),
        ("s3://pictures?path_style=true", "on or off"),
        ("s3://pictures?endpoint=127.0.0.1:9000", "endpoint is an address"),
        ("s3://pictures?endpoint=ftp://x", "endpoint is an address"),
        ("s3://pictures?public_endpoint=https://x?y=1", "public_endpoint is an address"),
        ("s3://pictures?a=1&b=2&c=3&d=4&e=5", "fields"),
    ],
)
def test_what_means_no_bucket_is_refused(url, words):
    with pytest.raises(ValueError, match=words):
        bucket_of(url, {})


@pytest.mark.parametrize(
    "url",
    ["s3://AKIA:hush@pictures", "s3://pictures?endpoint=http://AKIA:hush@127.0.0.1"],
)
def test_keys_in_a_url_are_refused_and_not_repeated(url):
    with pytest.raises(ValueError, match="keys") as caught:
        bucket_of(url, {})
    assert "hush" not in str(caught.value)
