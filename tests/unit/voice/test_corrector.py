"""Names heard right and written wrong are repaired; what makes sense as it stands is left alone."""

from __future__ import annotations

import csv

import pytest
import yaml
from opencc import OpenCC

from gateway.domain_words import domain_words
from hotline.messages import HeardWord, Transcript
from hotline.ports import RecognitionOptions
from hotline.settings import ROOT
from voice.stt.correcting import CorrectingRecogniser, respelt
from voice.stt.corrector import SoundCorrector
from voice.stt.load import corrector_of
from voice.stt.scripted import ScriptedRecogniser
from voice.stt.sounds import folded, toned

DEVELOPMENT = ROOT / "tests" / "evaluation" / "development"


@pytest.fixture(scope="module")
def corrector() -> SoundCorrector:
    corrector = corrector_of(domain_words())
    corrector.load()
    return corrector


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("射包卡丢了怎么补办", "社保卡丢了怎么补办"),
        ("举住证要带什么材料", "居住证要带什么材料"),
        ("贵城街道政务大厅在哪", "桂城街道政务大厅在哪"),
        ("我住在大历镇", "我住在大沥镇"),  # 大历 is a word, and no town
        ("李水镇怎么走", "里水镇怎么走"),
        ("公鸡金怎么提取", "公积金怎么提取"),
        ("营业职照注销怎么办理", "营业执照注销怎么办理"),
        ("视频经营许可证怎么办", "食品经营许可证怎么办"),  # an existing word inside a long name
        ("新生儿如户", "新生儿入户"),
        ("离分登记要预约吗", "离婚登记要预约吗"),  # f and h
        ("临活就业社保怎么交", "灵活就业社保怎么交"),  # -n and -ng
        ("大学生求职补替在哪里办", "大学生求职补贴在哪里办"),  # one syllable that is only near, in a long name
        ("退一居人优待证怎么办", "退役军人优待证怎么办"),
        ("社保任正要带什么", "社保认证要带什么"),  # 正要 is a word across the end of the name
        ("我想去泥水办事", "我想去里水办事"),  # 泥水 is a word, and nobody goes there for errands
    ],
)
def test_names_of_services_and_towns_are_repaired_by_sound(corrector, heard, meant):
    assert corrector.correct(heard) == meant
    assert corrector.correct(meant) == meant


@pytest.mark.parametrize(
    "right",
    [
        "公章丢了怎么补",  # beside 工伤
        "工伤认定要多久",
        "我叫李水生",  # beside 里水
        "墙上都是泥水",
        "政府在大力办理这件事",
        "没钱请律师怎么办",  # beside the alias 冇钱请律师
        "积分入公校怎么申请",  # beside the alias 积分读公校
        "你叫什么名字",
        "事业登记",  # beside 失业登记
        "居住证办极都办唔到",
        "条链接我冇点，举报边度",  # beside 冇电
        "公示登记",
        "自己缴社保怎么办",  # beside the alias 自己交社保
        "广东优粤卡怎么申请",  # beside the misspelt alias 优越卡
        "卖楼税怎么算",
        "买楼税怎么算",
        "低保怎么申请",
        "我想问一下明天天气怎么样",
        "查询码幺三八零零",
        "",
        "hello 123",
        "😀",
    ],
)
def test_what_makes_sense_is_never_touched(corrector, right):
    assert corrector.correct(right) == right


def test_nothing_that_the_guides_state_is_touched(corrector):
    def texts(node: object) -> list[str]:
        if isinstance(node, str):
            return [node]
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        return [text for each in inner for text in texts(each)]

    touched = []
    for file in (ROOT / "knowledge_base" / "guides").rglob("*.yml"):
        guide = yaml.safe_load(file.read_text(encoding="utf-8"))
        stated = {key: value for key, value in guide.items() if key not in ("aliases", "questions")}
        touched += [text for text in texts(stated) if corrector.correct(text) != text]
    assert touched == []


def test_questions_written_right_are_left_alone_and_many_misheard_ones_are_repaired(corrector):
    """Wrong characters lie in the development set's noisy questions only; nothing is tuned to it."""
    simplified = OpenCC("t2s").convert
    misheard = {"W086", "W197"}  # as a recogniser wrote them, in a set that tells no variety
    changed = {"mandarin": 0, "cantonese": 0, "noisy": 0}
    for name in ("questions", "out_of_scope", "flows", "emergencies"):
        with (DEVELOPMENT / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                text = simplified(row["text"])
                written = "noisy" if row["id"] in misheard else "mandarin"
                changed[row.get("variety") or written] += corrector.correct(text) != text
    assert changed["mandarin"] == changed["cantonese"] == 0
    assert changed["noisy"] >= 25


def test_a_misspelt_alias_is_no_name_to_repair_to():
    corrector = SoundCorrector(["职工医保个人账户家庭共济"], ["医保公济", "医保共济账户"])
    assert corrector.correct("医保共济怎么绑定") == "医保共济怎么绑定"


def test_of_names_that_sound_alike_the_commoner_is_meant():
    corrector = SoundCorrector([], ["假照", "驾照"], sentences=["驾照怎么换", "驾照丢了", "驾照过期", "补驾照"])
    assert corrector.correct("嫁照怎么换") == "驾照怎么换"


def test_where_careful_writing_speaks_against_the_commoner_spelling_nothing_is_repaired():
    corrector = SoundCorrector([], ["优越卡", "优粤卡"], sentences=["优越卡怎么弄"], prose=["优粤佛山卡"])
    assert corrector.correct("优粤卡怎么申请") == "优粤卡怎么申请"
    assert corrector.correct("优月卡怎么申请") == "优月卡怎么申请"


def test_the_sounds_that_southern_speakers_confuse_are_one():
    def sounds(text: str) -> list[str]:
        return [folded(syllable) for syllable in toned(text)]

    for one, other in [
        ("南", "兰"),
        ("住", "足"),
        ("福", "湖"),
        ("社", "色"),
        ("民", "名"),
        ("发", "花"),
        ("城", "层"),
    ]:
        assert sounds(one) == sounds(other)
    for one, other in [("公", "空"), ("章", "伤"), ("大", "打车"), ("保", "饱了")]:
        assert sounds(one) != sounds(other)
    assert sounds("A1") == ["A", "1"]


def test_words_keep_their_times_and_the_text_its_spaces(corrector):
    heard = Transcript(
        text="射 包卡 丢 了",
        words=tuple(HeardWord(text=text, start=n, end=n + 1) for n, text in enumerate(["射", "包卡", "丢", "了"])),
    )
    recogniser = CorrectingRecogniser(ScriptedRecogniser([heard]), corrector)
    fixed = recogniser.start().finish()
    assert fixed.text == "社 保卡 丢 了"
    assert [(word.text, word.start) for word in fixed.words] == [("社", 0), ("保卡", 1), ("丢", 2), ("了", 3)]
    assert respelt("a b", "cd") == "c d"


def test_phrases_that_somebody_asked_for_come_back_as_asked(corrector):
    recogniser = CorrectingRecogniser(ScriptedRecogniser(["射包卡"]), corrector)
    assert recogniser.start(RecognitionOptions(phrases=("射包卡",))).finish().text == "射包卡"
