"""The tables beside the guides: areas, towns, phone lines, sources, requests and neighbours."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from hotline.catalogue import Confidence


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Area(_Row):
    """A service area: ``key`` is the guides' folder, ``name`` what citizens read."""

    key: str = Field(pattern=r"^[a-z_]+$")
    name: str = Field(min_length=1)


class Place(_Row):
    """A place within a town that people still name (罗村), and how recognisers mis-hear it."""

    name: str = Field(min_length=1)
    misheard: list[str] = Field(default_factory=list)


class Town(_Row):
    """镇街. ``code`` is the nine-digit division code that its halls' codes begin with."""

    name: str = Field(min_length=2)
    short: str = Field(min_length=2)
    code: str = Field(pattern=r"^440605\d{3}$")
    misheard: list[str] = Field(default_factory=list)
    places: list[Place] = Field(default_factory=list)
    note: str = ""

    @property
    def names(self) -> list[str]:
        """What people call this town: full name, short name, old place names. Safe to look for
        inside a sentence."""
        return [self.name, self.short, *(place.name for place in self.places)]

    @property
    def words(self) -> list[str]:
        """``names`` and the mis-hearings. Compare these with a whole answer only: inside a sentence
        they also occur by chance (理水 in 处理水管)."""
        return [*self.names, *self.misheard, *(word for place in self.places for word in place.misheard)]


class AmbiguousPlace(_Row):
    """A word that may mean a place elsewhere, and the question that settles it."""

    word: str = Field(min_length=1)
    ask: str = Field(min_length=4)


class PhoneLine(_Row):
    """A public line: whose it is and what for. ``emergency`` lines are named before anything else."""

    number: str = Field(pattern=r"^[0-9-]{3,13}$")
    name: str = Field(min_length=1)
    what_for: str = Field(min_length=1)
    emergency: bool = False
    source: str = Field(min_length=1)


class SourceNote(_Row):
    """Where facts come from. ``url`` is empty where no page is on record."""

    key: str = Field(pattern=r"^(S\d{1,2}|G|U)$")
    title: str = Field(min_length=2)
    url: str = ""
    caution: str = ""


class RequestCategory(_Row):
    """诉求类别: what is reported. ``department`` None: a person decides where it goes.

    ``service_key`` names the guide about it; ``elements`` are what must be asked; ``words`` what
    citizens say. ``confidence`` is S, G or U, as of a fact.
    """

    key: str = Field(pattern=r"^[a-z_]+$")
    name: str = Field(min_length=2)
    department: str | None = None
    service_key: str | None = None
    elements: list[str] = Field(min_length=1)
    words: list[str] = Field(min_length=1)
    source: str = Field(min_length=1)
    confidence: Confidence


class NeighbourPlace(_Row):
    """A place outside the district: ``line`` is the number to dial there, ``owner`` who handles it."""

    name: str = Field(min_length=2)
    words: list[str] = Field(min_length=1)
    line: str = Field(pattern=r"^(0\d{2,3}-)?\d{5,8}$")
    owner: str = Field(min_length=2)
