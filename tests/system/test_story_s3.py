"""The story with pictures on S3: server, worker and client as processes, none of them patched."""

from tests.s3 import KEYS
from tests.system.test_story import size_of


def test_pictures_go_from_the_worker_to_s3_and_from_there_to_the_client(ordu, s3):
    bucket = s3.bucket()
    server = ordu.server("--images", f"s3://{bucket}/horde?endpoint={s3.url}", **KEYS)
    ordu.worker(server, server.register("owner"))
    s3.calls.clear()
    with server.horde(server.register("artist")) as horde:
        made = horde.generate("dunes", width=256, height=192, n=2)
    assert [size_of(each.data) for each in made] == [(256, 192)] * 2
    areas = sorted(key.split("/")[1] for key in s3.keys(bucket))
    assert areas == ["pictures", "pictures", "uploads", "uploads"]
    done = sorted((method, path.split("/")[3], bool(asked)) for method, path, asked in s3.calls)
    assert done == [
        ("GET", "pictures", False),  # the client reads both
        ("GET", "pictures", False),
        ("GET", "pictures", True),  # the server looks at how they begin
        ("GET", "pictures", True),
        ("PUT", "pictures", False),  # copies, made by S3 itself
        ("PUT", "pictures", False),
        ("PUT", "uploads", False),  # the worker writes both
        ("PUT", "uploads", False),
    ]


def test_a_bucket_that_is_not_there_ends_the_start_in_one_line(ordu, s3):
    url = f"s3://nobody/horde?endpoint={s3.url}"
    ended = ordu.run("serve", "--port", "0", "--images", url, **KEYS)
    assert ended.returncode == 2
    *_, line = ended.stderr.splitlines()  # after what is logged
    assert line.startswith(
        "ordu: Setting images: The bucket nobody cannot be used: S3 says NoSuchBucket. Look at "
    )
