import time

import pytest

from stormdraw.fields.threads import in_order


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order_and_few_at_a_time(threads):
    begun = []

    def slow_at_first(item):
        begun.append(item)
        time.sleep(0.02 if item < 3 else 0.0)
        return item

    given = []
    for result in in_order(slow_at_first, range(12), threads):
        given.append(result)
        # What was given, and as many as there are threads.
        assert len(begun) <= len(given) + threads
    assert given == list(range(12))


def test_an_error_in_a_thread_is_raised():
    results = in_order(lambda item: 1 / item, [1, 0], 2)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
