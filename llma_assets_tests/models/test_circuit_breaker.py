"""The circuit breaker, on a clock that moves only by hand."""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from llma_assets.models.circuit_breaker import CircuitBreaker
from llma_assets_tests.fuzzing import example_count


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Scene:
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.circuit = CircuitBreaker(failures=3, cool_down_s=30.0, probe_s=60.0, clock=self.clock)

    def open(self) -> None:
        for _ in range(3):
            self.circuit.failed()


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_calls_are_made_while_fewer_fail_than_it_takes(scene: Scene) -> None:
    scene.circuit.failed()
    scene.circuit.failed()
    assert (scene.circuit.wait_s(), scene.circuit.is_open) == (0.0, False)


def test_an_answer_between_failures_begins_the_count_anew(scene: Scene) -> None:
    for _ in range(5):
        scene.circuit.failed()
        scene.circuit.failed()
        scene.circuit.answered()
    assert not scene.circuit.is_open


def test_no_call_is_made_during_the_cool_down(scene: Scene) -> None:
    scene.open()
    assert scene.circuit.wait_s() == 30.0
    scene.clock.now += 29.0
    assert scene.circuit.wait_s() == pytest.approx(1.0)


def test_after_the_cool_down_one_call_is_made_and_no_second(scene: Scene) -> None:
    scene.open()
    scene.clock.now += 30.0
    assert scene.circuit.wait_s() == 0.0
    assert scene.circuit.wait_s() == 60.0


def test_a_probe_that_is_answered_closes_the_circuit(scene: Scene) -> None:
    scene.open()
    scene.clock.now += 30.0
    scene.circuit.wait_s()
    scene.circuit.answered()
    assert [scene.circuit.wait_s() for _ in range(3)] == [0.0, 0.0, 0.0]


def test_a_probe_that_fails_begins_another_cool_down(scene: Scene) -> None:
    scene.open()
    scene.clock.now += 30.0
    scene.circuit.wait_s()
    scene.clock.now += 5.0
    scene.circuit.failed()
    assert scene.circuit.wait_s() == 30.0


def test_a_probe_without_an_outcome_is_replaced(scene: Scene) -> None:
    scene.open()
    scene.clock.now += 30.0
    scene.circuit.wait_s()
    scene.clock.now += 60.0
    assert scene.circuit.wait_s() == 0.0


class AnyOrder(RuleBasedStateMachine):
    """Whatever happens in whatever order: an open circuit lets through at most one call a cool-down."""

    def __init__(self) -> None:
        super().__init__()
        self.scene = Scene()
        self.let_through: list[float] = []

    @rule(seconds=st.floats(0.0, 50.0))
    def time_passes(self, seconds: float) -> None:
        self.scene.clock.now += seconds

    @rule()
    def caller_asks(self) -> None:
        was_open = self.scene.circuit.is_open
        if self.scene.circuit.wait_s() == 0.0 and was_open:
            self.let_through.append(self.scene.clock.now)

    @rule()
    def a_call_fails(self) -> None:
        self.scene.circuit.failed()

    @rule()
    def a_call_is_answered(self) -> None:
        self.scene.circuit.answered()
        self.let_through.clear()
        assert self.scene.circuit.wait_s() == 0.0

    @invariant()
    def probes_keep_their_distance(self) -> None:
        gaps = [later - earlier for earlier, later in zip(self.let_through, self.let_through[1:], strict=False)]
        assert all(gap >= 30.0 for gap in gaps)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=example_count(50), stateful_step_count=30, deadline=None)
