"""How many calls at once, on a clock that moves only when a caller sleeps; and with real threads."""

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from llma_assets.models.errors import CallNotMade, ModelUnavailable
from llma_assets.models.throttle import Throttle

FAR = 1e9


@dataclass
class Scene:
    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.throttle = Throttle(clock=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def begin(self, count: int) -> list[int]:
        return [self.throttle.begin(FAR) for _ in range(count)]

    def room(self) -> int:
        """How many more calls may begin now."""
        turns = []
        while True:
            try:
                turns.append(self.throttle.begin(self.now))
            except ModelUnavailable:
                break
        for _ in turns:
            self.throttle.ended()
        return len(turns)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_nothing_is_limited_before_the_server_refuses(scene: Scene) -> None:
    scene.begin(500)
    assert scene.throttle.limit == math.inf


def test_after_a_refusal_one_goes_first(scene: Scene) -> None:
    turns = scene.begin(8)
    scene.throttle.refused(turns[0], 2.0)
    for _ in turns[1:]:
        scene.throttle.ended()
    scene.begin(1)
    assert scene.slept == [2.0]
    with pytest.raises(ModelUnavailable, match="few calls") as caught:
        scene.throttle.begin(scene.now)
    assert caught.value.kind == "busy"


def test_while_callers_queue_each_answer_allows_one_more_up_to_half_and_then_each_round_does(scene: Scene) -> None:
    turns = scene.begin(8)
    scene.throttle.refused(turns[0], 1.0)
    for _ in turns[1:]:
        scene.throttle.ended()
    under_way = scene.begin(1)
    limits = []
    for _ in range(12):
        scene.throttle.answered(under_way.pop())
        limits.append(scene.throttle.limit)
        under_way += scene.begin(scene.room())
    assert limits[:3] == [2.0, 3.0, 4.0]
    assert limits[7] == pytest.approx(5.0, abs=0.2)  # four answers a round of four
    assert limits[3:] == sorted(limits[3:])
    assert limits[-1] < 6.0


def test_many_refusals_of_one_round_cut_once(scene: Scene) -> None:
    turns = scene.begin(8)
    for turn in turns:
        scene.throttle.refused(turn, 1.0)
    for _ in range(4):
        scene.throttle.answered(scene.throttle.begin(FAR))
    assert scene.throttle.limit >= 2.0


def test_what_is_not_needed_is_not_added(scene: Scene) -> None:
    scene.throttle.refused(*scene.begin(1), 1.0)
    (turn,) = scene.begin(1)
    scene.throttle.answered(turn)
    before = scene.throttle.limit
    for _ in range(50):
        (turn,) = scene.begin(1)
        scene.throttle.answered(turn)
    assert scene.throttle.limit == before == 2.0


def test_the_longest_of_several_pauses_holds(scene: Scene) -> None:
    first, second = scene.begin(2)
    scene.throttle.refused(first, 9.0)
    scene.throttle.refused(second, 1.0)
    scene.begin(1)
    assert scene.now == 9.0


def test_a_pause_past_the_deadline_is_not_waited_for(scene: Scene) -> None:
    scene.throttle.refused(*scene.begin(1), 60.0)
    with pytest.raises(CallNotMade) as caught:
        scene.throttle.begin(59.0)
    assert (caught.value.kind, caught.value.retry_after_s, scene.slept) == ("rate_limited", 60.0, [])


def test_an_answer_that_says_that_little_is_left_pauses_all_without_halving(scene: Scene) -> None:
    turns = scene.begin(8)
    scene.throttle.answered(turns[0], 3.0)
    for turn in turns[1:]:
        scene.throttle.answered(turn)
    scene.begin(1)
    assert scene.slept == [3.0]
    scene.throttle.ended()
    under_way = scene.begin(1)
    for _ in range(7):
        scene.throttle.answered(under_way.pop())
        under_way += scene.begin(scene.room())
    assert scene.throttle.limit == 8.0


def test_real_threads_never_go_beyond_the_limit_and_all_get_their_turn() -> None:
    throttle = Throttle(clock=time.monotonic, sleep=time.sleep)
    throttle.refused(throttle.begin(FAR), 0.01)
    lock = threading.Lock()
    under_way = 0
    excess: list[float] = []

    def call(_: int) -> None:
        nonlocal under_way
        turn = throttle.begin(FAR)
        with lock:
            under_way += 1
            if under_way > throttle.limit:
                excess.append(under_way)
        time.sleep(0.001)
        with lock:
            under_way -= 1
        throttle.answered(turn)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(call, range(200)))
    assert excess == []
    assert throttle.limit > 2
