"""Our parts inside the dialogue engine. Run in the engine's own environment (Python 3.10, no pytest):

``.venv/engine/bin/python -m unittest tests.engine.test_components``
"""

import json
import tempfile
import unittest
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix

from bot.components.intent_classifier import SentenceIntentClassifier, normalise, ranked, tail
from bot.components.softmax import SoftmaxRegression
from bot.components.tracker_store import NOT_KEPT, WordlessSQLTrackerStore, without_words

CLASSES = ["ask_fee", "ask_materials", "ask_steps", "out_of_scope"]
SECRET = "欧阳小明，一二三四，13800000001"


def _said(text=SECRET):
    entity = {"entity": "town", "value": text, "start": 0, "end": len(text)}
    parse_data = {
        "text": text,
        "intent": {"name": "inform", "confidence": 0.9},
        "entities": [entity],
        "text_tokens": [[0, len(text)]],
        "intent_ranking": [{"name": "inform", "confidence": 0.9}],
    }
    return UserUttered(text, {"name": "inform", "confidence": 0.9}, [entity], parse_data, input_channel="rest")


class NormalisingIsTheSameForAllWritings(unittest.TestCase):
    def test_script_width_case_and_punctuation_do_not_matter(self):
        for text, plain in [
            ("居住證怎麼辦？", "居住证怎么办"),
            ("居住证怎么办!!", "居住证怎么办"),
            (" 居住证，怎么 办 ", "居住证怎么办"),
            ("ＡＰＰ上能办吗", "app上能办吗"),
            ("App上能办吗。", "app上能办吗"),
            ("", ""),
            ("？！…", ""),
            ("😀", ""),
        ]:
            with self.subTest(text=text):
                assert normalise(text) == plain

    def test_which_digits_were_said_does_not_matter(self):
        assert normalise("查613482") == "查000000"
        assert normalise("查６１３４８２") == normalise("查999999")
        assert normalise("13800000001") == "0" * 11

    def test_normalising_twice_is_normalising_once(self):
        for text in ("居住證怎麼辦？", "查613482", "App", SECRET):
            with self.subTest(text=text):
                assert normalise(normalise(text)) == normalise(text)


class TheClassifierAnswersWhereNothingCanBeSaid(unittest.TestCase):
    def test_an_empty_text_has_no_intent_and_raises_nothing(self):
        classifier = SentenceIntentClassifier(SentenceIntentClassifier.get_default_config(), None, None)
        message = Message(data={TEXT: ""})
        classifier.process([message])
        assert message.get(INTENT) == {"name": None, "confidence": 0.0}
        assert message.get("intent_ranking") == []


class DoubtBetweenAspectsIsNoDoubtAboutTheQuestion(unittest.TestCase):
    def test_the_leading_aspect_has_the_confidence_of_all_aspects(self):
        best, second, *_ = ranked(np.array([0.27, 0.28, 0.25, 0.2]), CLASSES, 4)
        assert best["name"] == "ask_materials"
        assert abs(best["confidence"] - 0.8) < 1e-6
        assert second == {"name": "ask_fee", "confidence": 0.27}

    def test_aspects_together_lead_where_they_are_likelier_by_so_much(self):
        best = ranked(np.array([0.25, 0.2, 0.15, 0.4]), CLASSES, 4, questions_lead=1.25)[0]
        assert best == {"name": CLASSES[0], "confidence": 0.6}
        best = ranked(np.array([0.25, 0.2, 0.1, 0.45]), CLASSES, 4, questions_lead=1.25)[0]
        assert best["name"] == CLASSES[3]

    def test_aspects_together_do_not_overtake_another_intent_by_themselves(self):
        best = ranked(np.array([0.2, 0.2, 0.2, 0.4]), CLASSES, 4)[0]
        assert best == {"name": "out_of_scope", "confidence": 0.4}

    def test_no_confidence_is_above_one(self):
        assert ranked(np.array([0.5, 0.3, 0.2000001, 0.0]), CLASSES, 2)[0]["confidence"] <= 1.0


class TheTailIsWhereTheQuestionStands(unittest.TestCase):
    def test_it_ends_marked_and_a_short_text_is_whole(self):
        assert tail("老人家身份证丢了要带什么", 4) == "要带什么$"
        assert tail("多久", 8) == "多久$"
        assert tail("", 8) == "$"


class TheRegressionLearns(unittest.TestCase):
    def test_a_rare_class_weighs_as_much_as_a_common_one(self):
        sparse = csr_matrix(np.array([[1.0, 0.0]] * 30 + [[0.0, 1.0]] * 2))
        dense = np.zeros((32, 1), np.float32)
        labels = ["common"] * 30 + ["rare"] * 2
        regression = SoftmaxRegression.fit(sparse, dense, labels, c=10.0, max_iter=80, heavier={})
        probabilities = regression.probabilities(sparse, dense)
        assert regression.classes == ["common", "rare"]
        assert np.allclose(probabilities.sum(axis=1), 1.0, atol=1e-5)
        assert probabilities[0, 0] > 0.9
        assert probabilities[-1, 1] > 0.9

    def test_a_heavier_class_wins_where_the_examples_say_nothing(self):
        sparse, dense = csr_matrix(np.ones((8, 1))), np.zeros((8, 1), np.float32)
        labels = ["ask_fee"] * 4 + ["out_of_scope"] * 4
        regression = SoftmaxRegression.fit(sparse, dense, labels, c=10.0, max_iter=80, heavier={"out_of_scope": 3.0})
        assert abs(regression.probabilities(sparse, dense)[0, 1] - 0.75) < 0.01


class WhatWasTrainedIsWhatIsLoaded(unittest.TestCase):
    def test_a_loaded_classifier_answers_as_the_trained_one(self):
        asked = {
            "ask_fee": ["身份证要多少钱", "护照要多少钱", "补社保卡多少钱"],
            "ask_where": ["身份证去哪里办", "护照在哪里办", "社保卡去哪里补"],
        }
        examples = [Message(data={TEXT: t, INTENT: i}) for i, texts in asked.items() for t in texts]
        with tempfile.TemporaryDirectory() as folder:
            storage, resource = LocalModelStorage(Path(folder)), Resource("classifier")
            config = SentenceIntentClassifier.get_default_config()
            trained = SentenceIntentClassifier(config, storage, resource)
            trained.train(TrainingData(examples))
            loaded = SentenceIntentClassifier.load(config, storage, resource, None)
        for text, intent in [("居住證要多少錢？", "ask_fee"), ("居住证在哪里办", "ask_where")]:
            with self.subTest(text=text):
                messages = trained.process([Message(data={TEXT: text})]) + loaded.process([Message(data={TEXT: text})])
                assert [m.get(INTENT)["name"] for m in messages] == [intent, intent]
                assert messages[0].get("intent_ranking") == messages[1].get("intent_ranking")


class TheEnginesStoreKeepsNoWords(unittest.TestCase):
    def test_a_stored_utterance_keeps_its_intent_and_nothing_that_was_said(self):
        bare = without_words(_said())
        kept = json.dumps(bare.as_dict(), ensure_ascii=False)
        for word in ("欧阳", "一二三四", "13800000001"):
            assert word not in kept
        assert bare.text == NOT_KEPT
        assert bare.intent_name == "inform"
        assert "text_tokens" not in bare.parse_data

    def test_the_utterance_in_the_talk_itself_is_left_as_it_is(self):
        event = _said()
        without_words(event)
        assert event.text == SECRET
        assert event.entities[0]["value"] == SECRET
        assert event.parse_data["text"] == SECRET

    def test_a_reply_that_repeats_what_was_told_is_kept_without_its_words(self):
        told = BotUttered(None, {"custom": {"reply": {"text": SECRET}, "private": True}})
        bare = without_words(told)
        assert SECRET not in json.dumps(bare.as_dict(), ensure_ascii=False)
        assert told.data["custom"]["reply"]["text"] == SECRET
        open_reply = BotUttered(None, {"custom": {"reply": {"text": "好的。"}}})
        assert without_words(open_reply) is open_reply

    def test_other_events_pass_untouched(self):
        for event in (SlotSet("service_item", "JZ02"), ActionExecuted("action_listen"), BotUttered("好的。")):
            assert without_words(event) is event


class TheDatabaseKeepsNoWords(unittest.IsolatedAsyncioTestCase):
    async def test_what_was_said_is_in_no_row_and_the_dialogue_goes_on_after_a_restart(self):
        store = WordlessSQLTrackerStore(Domain.empty(), dialect="sqlite", db="")
        tracker = DialogueStateTracker.from_events("c", [ActionExecuted("action_listen"), _said()])
        await store.save(tracker)
        tracker.update(_said("我叫欧阳小明"))
        await store.save(tracker)
        with store.engine.connect() as connection:
            rows = [row[0] for row in connection.execute(sa.text("select data from events"))]
        assert len(rows) == 3
        for row in rows:
            kept = json.dumps(json.loads(row), ensure_ascii=False)
            for word in ("欧阳", "一二三四", "13800000001"):
                assert word not in kept
        again = await store.retrieve("c")
        assert again.latest_message.intent_name == "inform"
        assert again.latest_message.text == NOT_KEPT


if __name__ == "__main__":
    unittest.main()
