"""Numbers as people say them, read into values (docs/numbers.md).

``read_numbers`` reads everything in a text; ``hear`` follows one number over several turns and
says which part of it to ask for again.
"""

from hotline.numbers.dialogue import Doubt, Hearing, Part, Reason, hear
from hotline.numbers.reader import read, read_numbers
from hotline.numbers.values import Kind, LooseDigits, NumberSaid, Place, Reading

__all__ = [
    "Doubt",
    "Hearing",
    "Kind",
    "LooseDigits",
    "NumberSaid",
    "Part",
    "Place",
    "Reading",
    "Reason",
    "hear",
    "read",
    "read_numbers",
]
