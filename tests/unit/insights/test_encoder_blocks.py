"""The gateway knows the encoder's shape without loading it."""

from gateway.insight_parts import BLOCKS
from knowledge_base.text_vectors import PairEncoder


def test_the_blocks_are_those_of_the_encoder() -> None:
    assert PairEncoder.blocks == BLOCKS
