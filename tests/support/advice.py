"""Read the advice of a refusal, and follow it to the letter."""

import re
from typing import Any

from spec.config import ChipConfig

_CHANGE = re.compile(r"(?:(lower|raise) )?(\w+) to ([-+.\w]+)")


def changes(config: ChipConfig, sentence: str) -> list[dict[str, Any]]:
    """Return the alternatives that a sentence ends in, each as fields and their new values.

    Advice reads: lower a to 1 or b to 2 or raise c to 3; or, together: lower a to 1 and b to 2.
    """
    advice = sentence.rpartition(": ")[2]
    alternatives, verb = [], ""
    for alternative in advice.split(" or "):
        fields = {}
        for part in alternative.split(" and "):
            match = _CHANGE.fullmatch(part)
            assert match, f"{part!r} is no advice, in {sentence!r}"
            verb = match[1] or verb
            present = config.value(match[2])
            fields[match[2]] = type(present)(float(match[3]))
            assert fields[match[2]] < present if verb == "lower" else fields[match[2]] > present
        alternatives.append(fields)
    return alternatives
