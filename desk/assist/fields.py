"""The fields of a request, filled from what a citizen has said so far. A proposal: the agent corrects it."""

from __future__ import annotations

from collections.abc import Iterable

from hotline.desk_ports import FieldsSaid

# Told once and meant for the whole talk; what is said later is the better word for these.
_LATEST = ("town", "place", "when")


def merged(told: Iterable[FieldsSaid]) -> FieldsSaid:
    """Fields of several sentences as one form, oldest first.

    A place or time told later replaces the earlier one. What happened is the first sentence that
    tells of a matter, with the kind, category and department read from it.
    """
    form: dict[str, str] = {}
    for fields in told:
        said = {name: value for name, value in fields.model_dump().items() if value}
        for name in _LATEST:
            if value := said.get(name):
                # 「桂城」 after 「桂城南海大道」 tells nothing new.
                form[name] = form[name] if value in form.get(name, "") else value
        tells_more = bool(said.get("category") and not form.get("category"))
        if said.get("happened") and (not form.get("happened") or tells_more):
            for name in ("happened", "type", "category", "department", "service_key", "urgency"):
                if name in said or name == "happened":
                    form[name] = said.get(name, "")
    return FieldsSaid(**form)
