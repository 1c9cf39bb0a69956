"""Our parts inside the dialogue engine. Run in the engine's own environment (Python 3.10, no pytest):

``.venv/engine/bin/python -m unittest tests.engine.test_components``
"""

import json
import unittest

import sqlalchemy as sa
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.components.intent_classifier import SentenceIntentClassifier, normalise
from bot.components.tracker_store import NOT_KEPT, WordlessSQLTrackerStore, without_words

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
