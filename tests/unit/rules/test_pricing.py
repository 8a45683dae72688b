import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordu.rules import pricing


@pytest.mark.parametrize(
    ("width", "height", "steps", "kudos"),
    [  # the worked examples of protocol sheet 12 §1
        (512, 512, 50, 10.00),
        (512, 512, 30, 6.00),
        (512, 768, 20, 6.00),
        (768, 768, 50, 22.50),
        (1024, 1024, 100, 80.00),
        (64, 64, 1, 0.01),
    ],
)
def test_price_of_2022(width, height, steps, kudos):
    assert pricing.price(width * height * steps) == round(kudos * 100)


def test_operators_factors_multiply():
    assert pricing.price(512 * 512 * 50, (2.0, 1.5)) == 3000


def test_halves_go_up():
    assert pricing.bill(pricing.Kudos(1), 0.5) == 1
    assert pricing.reward(pricing.Kudos(101), 0.5) == 51


@given(st.integers(1, 3072 * 3072 * 500))
def test_a_price_is_the_nearest_hundredth_and_never_nothing(pixelsteps):
    price = pricing.price(pixelsteps)
    assert price >= 1
    assert price == 1 or abs(price - pixelsteps * 100 / 1_310_720) <= 0.5


@given(st.integers(0, 10**9), st.floats(0, 1))
def test_a_reward_never_exceeds_the_price(price, tax):
    assert 0 <= pricing.reward(pricing.Kudos(price), tax) <= price
