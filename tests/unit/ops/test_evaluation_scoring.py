"""Tallies, spread, calibration and distance, and the floors made of them."""

from __future__ import annotations

import pytest
import yaml

from ops.evaluation import floors
from ops.evaluation.floors import Floor
from ops.evaluation.scoring import (
    Section,
    Tally,
    calibration_error,
    edit_distance,
    lower_is_better,
    reliability,
    standard_error,
)


def test_a_tally_of_nothing_has_the_rate_nought():
    assert Tally().rate == 0.0


def test_a_row_counts_in_each_of_its_groups():
    section = Section("questions")
    section.count("top1", True, ("all", "noisy"))
    section.count("top1", False, ("all", "mandarin"))
    assert {key: (t.count, t.total) for key, t in section.tallies.items()} == {
        "questions.top1.all": (1, 2),
        "questions.top1.noisy": (1, 1),
        "questions.top1.mandarin": (0, 1),
    }


def test_the_gravest_misses_come_first_and_equals_keep_their_order():
    section = Section("questions")
    for row, grade in (("Q1", 0), ("Q2", 3), ("Q3", 1), ("Q4", 3)):
        section.miss(row, "", "", grade)
    assert [miss.row for miss in section.worst(3)] == ["Q2", "Q4", "Q3"]


def test_frequent_confusions_come_first():
    section = Section("flows")
    for wanted, got in (("greet", "thank"), ("rate", "ask"), ("rate", "ask")):
        section.confusions["intents"][wanted, got] += 1
    assert section.as_json()["confusions"]["intents"] == [["rate", "ask", 2], ["greet", "thank", 1]]


def test_a_standard_error_shrinks_with_the_rows_and_is_nought_at_the_ends():
    assert standard_error(0.5, 100) == pytest.approx(0.05)
    assert standard_error(0.5, 400) == pytest.approx(0.025)
    assert standard_error(1.0, 10) == standard_error(0.0, 10) == standard_error(0.5, 0) == 0.0
    assert standard_error(1.4, 10) == 0.0, "an error rate may be above one"


def test_scores_fall_into_bins_of_equal_width_and_one_belongs_to_the_last():
    bins = reliability([(0.0, False), (0.09, False), (0.1, True), (0.95, True), (1.0, False)])
    assert [each.rows for each in bins] == [2, 1, 0, 0, 0, 0, 0, 0, 0, 2]
    assert (bins[9].score, bins[9].right) == (pytest.approx(0.975), 0.5)


def test_a_score_that_is_as_right_as_it_says_has_no_calibration_error():
    assert calibration_error(reliability([(0.75, True)] * 3 + [(0.75, False)])) == pytest.approx(0)


def test_calibration_errors_weigh_as_many_rows_as_they_hold():
    scored = [(0.95, True)] * 3 + [(0.45, True)]
    assert calibration_error(reliability(scored)) == pytest.approx((3 * 0.05 + 0.55) / 4)
    assert calibration_error(reliability([])) == 0.0


def test_edit_distance_counts_what_is_put_in_left_out_and_changed():
    assert edit_distance("", "补办") == 2
    assert edit_distance("社保卡补办", "社保补办") == 1
    assert edit_distance("居住证", "居住正") == 1
    assert edit_distance("居住证", "居住证") == 0


def test_false_alarms_and_wrong_answers_are_better_the_fewer_they_are():
    assert lower_is_better("emergencies.false_alarms.all")
    assert lower_is_better("questions.answered_wrongly.noisy")
    assert not lower_is_better("questions.answered_right.all")


def test_a_floor_leaves_two_standard_errors_and_at_least_a_point_and_a_half():
    assert floors.limit_of("flows.intent.all", Tally(50, 100)) == pytest.approx(0.4)
    assert floors.limit_of("flows.intent.all", Tally(100, 100)) == pytest.approx(0.985)
    assert floors.limit_of("emergencies.false_alarms.all", Tally(50, 100)) == pytest.approx(0.6)
    assert floors.limit_of("emergencies.false_alarms.all", Tally(0, 52)) == pytest.approx(0.015)


def test_recorded_floors_come_back_as_they_were_measured(tmp_path):
    file = tmp_path / "floors.yml"
    floors.record({"flows.intent.all": Tally(90, 100), "speech.cer.fixtures, x": Tally(2, 20)}, "2026-11-24", file)
    assert floors.load(file) == {
        "flows.intent.all": Floor(0.9, 100, 0.84),
        "speech.cer.fixtures, x": Floor(0.1, 20, 0.2342),
    }
    entries = yaml.safe_load(file.read_text(encoding="utf-8"))["measures"]
    assert "ceiling" in entries["speech.cer.fixtures, x"], "lower is better"


def test_a_floor_rises_and_never_falls_by_being_recorded_again(tmp_path):
    file = tmp_path / "floors.yml"
    floors.record(
        {"flows.intent.all": Tally(90, 100), "emergencies.false_alarms.all": Tally(3, 100)}, "2026-11-24", file
    )
    before = floors.load(file)
    floors.record(
        {"flows.intent.all": Tally(80, 100), "emergencies.false_alarms.all": Tally(9, 100)}, "2026-11-25", file
    )
    assert floors.load(file) == before
    floors.record(
        {"flows.intent.all": Tally(96, 100), "emergencies.false_alarms.all": Tally(0, 100)}, "2026-11-26", file
    )
    assert floors.load(file)["flows.intent.all"].limit > before["flows.intent.all"].limit
    assert floors.load(file)["emergencies.false_alarms.all"].limit < before["emergencies.false_alarms.all"].limit


def test_the_file_of_the_project_can_be_read():
    assert all(0 <= floor.measured <= 1 for floor in floors.load().values())


def test_what_falls_below_its_floor_is_named_and_what_meets_it_is_not():
    limits = {"flows.intent.all": Floor(0.9, 100, 0.84), "emergencies.false_alarms.all": Floor(0.0, 52, 0.015)}
    good = {"flows.intent.all": Tally(84, 100), "emergencies.false_alarms.all": Tally(0, 52)}
    assert floors.fallen(good, limits) == []
    bad = {"flows.intent.all": Tally(83, 100), "emergencies.false_alarms.all": Tally(1, 52)}
    told = floors.fallen(bad, limits)
    assert [sentence.split()[0] for sentence in told] == ["flows.intent.all", "emergencies.false_alarms.all"]
    assert "低于门槛 84.0%" in told[0]
    assert "高于上限 1.5%" in told[1]


def test_a_measure_that_was_not_taken_does_not_pass_for_a_good_one():
    told = floors.fallen({}, {"flows.intent.all": Floor(0.9, 100, 0.84)})
    assert told == ["flows.intent.all 有门槛，这次却没有量到。"]


def test_another_recogniser_has_no_floor_to_meet():
    limits = {"speech.cer.fixtures, vosk": Floor(0.05, 40, 0.1)}
    measured = {"speech.cer.fixtures, whisper": Tally(20, 40)}
    assert floors.fallen(measured, limits) == []
    assert floors.without_floor(measured, limits) == ["speech.cer.fixtures, whisper"]


def test_a_sample_is_given_three_of_its_own_standard_errors():
    floor = Floor(0.9, 1000, 0.881)
    assert floors.sample_limit("questions.top1.all", 100, floor) == pytest.approx(0.81)
    assert floors.sample_limit("questions.top1.all", 100_000, floor) == pytest.approx(0.881), "never the stricter"
    ceiling = Floor(0.1, 1000, 0.119)
    assert floors.sample_limit("questions.answered_wrongly.all", 100, ceiling) == pytest.approx(0.19)


def test_a_sample_is_judged_by_its_limit():
    limits = {"flows.intent.all": Floor(0.9, 1000, 0.881)}
    assert floors.fallen_in_sample({"flows.intent.all": Tally(82, 100)}, limits) == []
    assert "81.0%" in floors.fallen_in_sample({"flows.intent.all": Tally(80, 100)}, limits)[0]


def test_a_sample_without_a_floor_fails_and_says_what_to_run():
    (told,) = floors.fallen_in_sample({"flows.intent.all": Tally(9, 10)}, {})
    assert "make eval EVAL_ARGS=--record-floors" in told
