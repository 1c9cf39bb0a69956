"""The line is as right as it was when its floors were recorded: on a fixed sample of the evaluation sets.

``make eval`` asks every row and prints figures; this asks some, and fails where chance does not explain
how many came back wrong. What failed is told by measure, never by sentence: nobody tunes to these.
"""

from __future__ import annotations

import pytest
from running_line import Line

from ops.evaluation import floors, numbers
from ops.evaluation.asking import Client
from ops.evaluation.judging import PARTS, ask_and_judge
from ops.evaluation.scoring import Section
from ops.evaluation.sets import load_sets, sample
from ops.progress import say

MOST_LOST = 3  # turns; more would tell of the machine, not of what the line understands


@pytest.fixture(scope="module")
def sections(line: Line) -> dict[str, Section]:
    client = Client(line.address)
    rows = sample(load_sets())
    judged, lost = ask_and_judge(client, rows, say)
    client.close()
    assert lost <= MOST_LOST, (
        f"{lost} turns came back without an intent: the engine was down or too slow\n{line.told()}"
    )
    return judged | {"numbers": numbers.judge(rows["numbers"])}


@pytest.mark.parametrize("part", [*(part.name for part in PARTS), "numbers"])
def test_the_line_is_as_right_as_its_floors_say(part, sections):
    fallen = floors.fallen_in_sample(sections[part].tallies, floors.load())
    assert not fallen, "\n".join(fallen)
