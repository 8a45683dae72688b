"""What of a request says how its pictures may look."""

from typing import get_args

import msgspec
import pytest

from ordu.kinds.image.drawing import DrawingRequest, encode
from ordu.kinds.image.wanting import FACTORS, wanted
from ordu.protocol.params import PostProcessor


def of(**change):
    plain = DrawingRequest(
        prompt="a fox",
        width=512,
        height=640,
        steps=30,
        sampler_name="k_euler_a",
        cfg_scale=5.0,
        karras=True,
    )
    return wanted(encode(msgspec.structs.replace(plain, **change)))


def test_a_plain_request():
    plain = of()
    assert (plain.width, plain.height, plain.factors) == (512, 640, (1,))
    assert (plain.leaves_source, plain.varies) == (False, True)


@pytest.mark.parametrize(
    ("change", "factors"),
    [
        pytest.param({"post_processing": ("RealESRGAN_x4plus",)}, (1, 4), id="one"),
        pytest.param({"post_processing": ("GFPGAN", "strip_background")}, (1,), id="no upscaler"),
        pytest.param(
            {"post_processing": ("RealESRGAN_x2plus", "GFPGAN", "NMKD_Siax")},
            (1, 2, 4, 8),
            id="two, of which either may be left out",
        ),
        pytest.param(
            {"post_processing": tuple(FACTORS)}, (1, 2, 4, 8, 16, 32, 64), id="all there are"
        ),
        pytest.param({"use_upscaling": True}, (1, 2, 4), id="as in 2022"),
        pytest.param({"use_ldsr": True}, (1, 2, 4), id="LDSR"),
        pytest.param({"return_control_map": True}, (), id="a map has the size of its program"),
    ],
)
def test_factors(change, factors):
    assert of(**change).factors == factors


SOURCE = {"source_processing": "img2img"}


@pytest.mark.parametrize(
    ("change", "leaves_source", "varies"),
    [
        pytest.param(SOURCE, True, True, id="redrawn as strongly as usual"),
        pytest.param(SOURCE | {"denoising_strength": 0.6}, True, True, id="just strongly enough"),
        pytest.param(SOURCE | {"denoising_strength": 0.59}, False, False, id="not quite"),
        pytest.param(SOURCE | {"denoising_strength": 0.0}, False, False, id="kept"),
        pytest.param(SOURCE | {"has_mask": True}, False, False, id="only within a mask"),
        pytest.param({"source_processing": "inpainting"}, False, False, id="inpainting"),
        pytest.param({"source_processing": "outpainting"}, False, False, id="outpainting"),
        pytest.param({"source_processing": "remix"}, False, False, id="remix"),
        pytest.param(SOURCE | {"control_type": "canny"}, False, False, id="led by a ControlNet"),
        pytest.param({"workflow": "qr_code"}, False, False, id="led by a code"),
    ],
)
def test_where_a_picture_must_be_another(change, leaves_source, varies):
    found = of(**change)
    assert (found.leaves_source, found.varies) == (leaves_source, varies)


def test_every_post_processor_that_says_a_factor_has_it():
    for name in get_args(PostProcessor):
        said = next((digit for digit in "24" if f"{digit}x" in name or f"x{digit}" in name), None)
        if said or name == "NMKD_Siax":
            assert FACTORS[name] == int(said or 4), name
        else:
            assert name not in FACTORS
