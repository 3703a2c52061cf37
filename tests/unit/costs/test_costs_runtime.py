"""The time that jobs ask for, worked out by hand."""

from stormdraw.costs.runtime import minutes_to_draw, minutes_to_train


def plan_of(**seconds):
    return {"work": {what: {"most_gpu_seconds": count} for what, count in seconds.items()}}


def test_a_job_asks_for_an_hour_and_twice_the_most_that_a_fast_gpu_takes():
    assert minutes_to_train(plan_of(training=20 * 60), 1) == 60 + 40
    assert minutes_to_train(plan_of(training=20 * 60), 2) == 60 + 20
    # 10 members of 3 passes of one model and 1 of another, a second and half a minute each.
    plans = {"drawn": plan_of(one_pass=1), "stepping": plan_of(one_pass=30)}
    assert minutes_to_draw(plans, {"drawn": 3, "stepping": 1}, 10) == 60 + 2 * (0.5 + 5)


def test_a_job_asks_for_a_day_at_most_and_where_nothing_is_planned():
    week = plan_of(training=7 * 86400, one_pass=0.0)
    assert minutes_to_train(week, 1) == minutes_to_train(None, 1) == 24 * 60
    assert minutes_to_train(week, 1, attempt=3) == 24 * 60
    assert minutes_to_train(plan_of(training=20 * 60), 1, attempt=2) == 2 * 100
    assert minutes_to_draw({"drawn": plan_of(one_pass=60)}, {"drawn": 1}, 30, 13) == 24 * 60
    assert minutes_to_draw({"drawn": week, "other": None}, {"drawn": 1, "other": 1}, 5) == 24 * 60
