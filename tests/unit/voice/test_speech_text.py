"""What is spoken for what is written."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.prompts import load_prompts
from voice.speech_text import sentences, speak_form

TABLE = """
请拨打12345转人工 → 请拨打幺二三四五转人工
110、119或120 → 幺幺零、幺幺九或幺二零
共120元 → 共一百二十元
122人 → 一百二十二人
电话0757-86335678 → 电话零七五七，八六三三五六七八
手机13800000001 → 手机幺三八，零零零零，零零零幺
身份证号990101199001011234 → 身份证号九九零幺零幺，幺九九零，零幺零幺，幺二三四
99010119900101123X → 九九零幺零幺，幺九九零，零幺零幺，幺二三艾克斯
办件号NH202611000123 → 办件号恩艾尺，二零二六，幺幺零零，零幺二三
查询码是 A1B2C3 → 查询码是诶幺必二西三
验证码 0412 → 验证码零四幺二
后四位1234 → 后四位幺二三四
86335678 → 八六三三五六七八
138****1234 → 幺三八，尾号幺二三四
4406************12 → 四四零六，尾号幺二
陈*您好 → 陈某您好
费用¥1,234.50元 → 费用一千二百三十四元五角
工本费20元 → 工本费二十元
12.05元 → 十二元零五分
2元 → 两元
2.5万元 → 二点五万元
最高50000元 → 最高五万元
3000-5000元 → 三千到五千元
满60%以上 → 满百分之六十以上
0.5% → 百分之零点五
20%-30% → 百分之二十到百分之三十
66.67% → 百分之六十六点六七
2026年11月22日 → 二零二六年十一月二十二日
2026-11-22 → 二零二六年十一月二十二日
2月2日 → 二月二日
每年4月—6月 → 每年四月到六月
2024-2025年 → 二零二四到二零二五年
周一至周五8:30-12:00 → 周一至周五八点半到十二点
14:05 → 十四点零五分
9:00-17:30 → 九点到十七点半
7×24小时 → 七乘二十四小时
24小时内 → 二十四小时内
需要3-5个工作日 → 需要三到五个工作日
2-3天 → 两到三天
18-60周岁 → 十八到六十周岁
2个月内 → 两个月内
满2年 → 满两年
12个 → 十二个
2号楼 → 二号楼
3号窗口 → 三号窗口
608室 → 六零八室
第3条 → 第三条
1/3 → 三分之一
1.5倍 → 一点五倍
住房面积90㎡ → 住房面积九十平方米
A4纸 → 诶四纸
粤E12345 → 粤伊幺二三四五
下载APP → 下载诶皮皮
１２３４５热线 → 幺二三四五热线
社保卡/身份证 → 社保卡、身份证
5个工作日（不含节假日） → 五个工作日，不含节假日
**注意**：请带《居住证》（原件） → 注意：请带居住证，原件
[办事指南](https://example.org/a) → 办事指南
详见 https://example.org/b?c=1。谢谢 → 详见网址这里不念。谢谢
佛府办〔2022〕12号 → 佛府办，二零二二，十二号
按0转人工 → 按零转人工
+86 13800000001 → 幺三八，零零零零，零零零幺
0757-86335678转801 → 零七五七，八六三三五六七八，转八零幺
请拨0757-12345 → 请拨零七五七幺二三四五
120ml → 一百二十毫升
110% → 百分之一百一十
2025-2026学年 → 二零二五到二零二六学年
2026-11 → 二零二六年十一月
2022版 → 二零二二版
二〇二六年 → 二零二六年
90后 → 九零后
年满60后 → 年满六十后
500元/月 → 五百元每月
2元/平方米 → 两元每平方米
15元/次 → 十五元每次
-5℃ → 零下五摄氏度
5-8℃ → 五到八摄氏度
90-120㎡ → 九十到一百二十平方米
≥18周岁 → 不少于十八周岁
满≤60周岁 → 满不超过六十周岁
>3年 → 超过三年
±5% → 正负百分之五
3:2 → 三比二
1:1000 → 一比一千
24/7 → 二十四、七
G15高速 → 吉幺五高速
No.3 → 第三号
补贴10000 → 补贴一万
拨打10000 → 拨打幺零零零零
①身份证②户口本 → 第一，身份证，第二，户口本
访问 nanhai.gov.cn 查询 → 访问网址这里不念查询
官网：www.example.org/a 可查 → 网址这里不念可查
办件号：GD-2026-000123 → 办件号：吉迪，二零二六，零零零幺二三
单号NH-20261125-0001已登记 → 单号恩艾尺，二零二六幺幺二五，零零零幺已登记
自助区24h开放 → 自助区二十四小时开放
邮箱 abc@nh.gov.cn → 邮箱地址这里不念
粤EA12345 → 粤伊诶幺二三四五
粤ED12345 → 粤伊迪幺二三四五
GD202611250000000001 → 吉迪，二零二六，幺幺二五，零零零零，零零零零，零幺
上午9:00—11:30，下午14:00—17:00 → 上午九点到十一点半，下午十四点到十七点
""".strip().splitlines()


@pytest.mark.parametrize(("written", "spoken"), [line.split(" → ") for line in TABLE])
def test_a_text_is_spoken_as_a_person_would_read_it(written, spoken):
    assert speak_form(written) == spoken


def test_list_marks_and_emoji_are_not_spoken():
    text = "补卡要带：\n1. 身份证原件\n2. 户口簿复印件2份\n3. 1寸照片2张\n- 没有就不用带 📄"
    assert speak_form(text) == "补卡要带。第一，身份证原件。第二，户口簿复印件两份。第三，一寸照片两张。没有就不用带"


@given(st.text(alphabet="办证12345.,:：-—/%元年月日个（）*#[]【】￥¥℃㎡ABx \n。！？，", max_size=60))
def test_whatever_is_written_no_digit_letter_or_mark_reaches_the_voice(text):
    spoken = speak_form(text)
    assert not re.search(r"[0-9A-Za-z*#\[\]()（）【】\s]", spoken)
    assert speak_form(spoken) == spoken


@given(st.text(alphabet="办居住证要带身份，、。！？；12\n", max_size=200))
def test_sentences_joined_are_the_spoken_text(text):
    marks = re.compile(r"[。！？；，、]")
    assert marks.sub("", "".join(sentences(text))) == marks.sub("", speak_form(text))


def test_the_first_sentence_is_short_so_that_sound_leaves_early():
    pieces = sentences(
        "补办社会保障卡需要您本人带上居民身份证原件，到就近的镇街行政服务中心办理，也可以在网上申请，"
        "一般五个工作日内寄出。办理不收费。"
    )
    assert len(pieces[0]) <= 36
    assert pieces[-1] == "办理不收费。"
    assert all(len(piece) <= 112 for piece in pieces)
    assert sentences("") == sentences("。。") == []


def test_the_prompts_of_the_line_can_all_be_spoken():
    for prompt in load_prompts().all():
        assert sentences(prompt)
        assert not re.search(r"[0-9A-Za-z]", "".join(sentences(prompt)))
