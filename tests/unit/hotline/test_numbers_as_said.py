"""Numbers as people in Foshan say them and recognisers write them, read into values."""

from __future__ import annotations

from datetime import date

import pytest

from hotline.numbers import Kind, read, read_numbers

TODAY = date(2026, 11, 25)  # a Wednesday
ID = "990101199001011230"
ID_X = "99010119900101006X"
CREDIT = "91990000MA00000008"
CASE = "TEST440605124000NH5442106041000" + "202611000012"


def said(text: str) -> list[str]:
    """``kind value`` of each number, with ``?`` where the reader does not stand behind it."""
    return [
        f"{v.kind.value} {v.value}{'' if v.valid else '?'}"
        for v in read_numbers(text, TODAY)
        if v.kind is not Kind.LANDLINE
    ]


def table(text: str) -> list[tuple[str, str]]:
    rows = [line.split("→") for line in text.strip().splitlines()]
    return [(left.strip(), right.strip()) for left, right in rows]


PHONES = table("""
一三八零零零零零零零一 → phone 13800000001
幺三八 零零零零 零零零幺 → phone 13800000001
138-0000-0001 → phone 13800000001
138.0000.0001 → phone 13800000001
（138）0000-0001 → phone 13800000001
13,800,000,001 → phone 13800000001
１３８０００００００１ → phone 13800000001
1 3 8 0 0 0 0 0 0 0 1 → phone 13800000001
+86 138 0000 0001 → phone 13800000001
8613800000001 → phone 13800000001
一三八杠零零零零杠零零零一 → phone 13800000001
我电话系一三八，呃，零零零零，嗯然后零零零一啊 → phone 13800000001
呃一三八然后零零零零后面是零零零一 → phone 13800000001
138三个零一二三四五 → phone 13800012345
一三八孖八零零零零零一 → phone 13888000001
138两个8 0000 01 → phone 13888000001
一三八洞洞洞洞洞洞拐勾 → phone 13800000079
前三位是138，中间四位是0000，后四位是0001 → phone 13800000001
13800000001三水区 → phone 13800000001
13800000001/13900000002 → phone 13800000001; phone 13900000002
13800000001和一三九零零零零零零零二都得 → phone 13800000001; phone 13900000002
QQ13800000001 → phone 13800000001
我電話係一三八零零零零零零零一 → phone 13800000001
一三八零零，一三八零零零零零零零一 → phone 13800000001
13800000001，再说一遍，13800000001 → phone 13800000001
我电话是1380000000 → phone 1380000000?
电话是12800000001 → phone 12800000001?
12800000001 →
138000000012 →
6222 0000 1380 0000 001 →
6222021380000000001 →
AB13800000001CD →
138 0000 0001 2 →
1380000000 →
""")

CODES = table(f"""
{ID} → id_card {ID}
身份证990101 19900101 1230 → id_card {ID}
身份证九九零一零一 一九九零零一零一 一二三零 → id_card {ID}
九九零一零一 一九九零年一月一号 一二三零 → id_card {ID}
身份证前六位990101，出生1990年1月1号，最后四位1230 → id_card {ID}
身份证前六位990101，中间是19900101，最后四位是1230 → id_card {ID}
{ID_X.lower()} → id_card {ID_X}
{ID_X[:17]}叉 → id_card {ID_X}
{ID_X[:14]}，零零六，艾克斯 → id_card {ID_X}
{ID_X[:17]}，最后是埃克斯 → id_card {ID_X}
990101199001011231 → id_card 990101199001011231?
990101199013011230 → id_card 990101199013011230?
99010120300101123X → id_card 99010120300101123X?
身份证99010119900101123 → id_card 99010119900101123?
身份证990101900101123 → id_card 990101900101123?
我的身份证号码是99010119900101123，最后一位是0 → id_card {ID}
{CREDIT} → credit_code {CREDIT}
信用代码{CREDIT.lower()} → credit_code {CREDIT}
信用代码91990000 MA00 0000 08 → credit_code {CREDIT}
信用代码九一九九零零零零 艾姆 诶 零零零零零零零 八 → credit_code {CREDIT}
信用代码91990000MA00000009 → credit_code 91990000MA00000009?
{CASE} → case_number {CASE}
办件号 {CASE[:20].lower()} {CASE[20:]} 谢谢 → case_number {CASE}
613482 → query_code 613482
查询码六幺三四八二 → query_code 613482
61348277 → query_code 61348277
6-1-3-4-8-2 → query_code 613482
六一三，四八二 → query_code 613482
613482 1234 → query_code 613482
查613482，关美玲，1234 → query_code 613482
20261123 → query_code 20261123
打电话查613482 → query_code 613482
编号是一二三四五六七 → query_code 1234567
""")

PLATES = table("""
粤E12345 → plate 粤E12345
粵e·12345 → plate 粤E12345
粤E 幺二三四五 → plate 粤E12345
粤ED12345 → plate 粤ED12345
粤E12345D → plate 粤E12345D
粤Z1234港 → plate 粤Z1234港
粤诶12345 → plate 粤A12345
粤伊幺二三四五 → plate 粤E12345
粤一12345 → plate 粤E12345
粤歪D一二三四五 → plate 粤YD12345
粤艾克斯三个八五六 → plate 粤X88856
车牌月E12345 → plate 粤E12345
湘N1234挂 → plate 湘N1234挂
粤E12345三天前停的 → plate 粤E12345; date 2026-11-22
湘A12345，粤B·54321 → plate 湘A12345; plate 粤B54321
粤E1234I → plate 粤E1234I?
粤O12345 → plate 粤O12345?
粤E1234 → plate 粤E1234?
湘Z1234港 → plate 湘Z1234港?
新A区 →
贵州A12345 →
云A →
""")

AMOUNTS = table("""
三千五 → amount 3500
两万三 → amount 23000
一百零五块 → amount 105
一百二 → amount 120
三块五毛 → amount 3.5
三块五 → amount 3.5
三块五毛二 → amount 3.52
三块零五分 → amount 3.05
十二万五千 → amount 125000
1.5万 → amount 15000
一点五万元 → amount 15000
3千5 → amount 3500
三蚊 → amount 3
两蚊半 → amount 2.5
千五蚊 → amount 1500
廿五蚊 → amount 25
卅蚊 → amount 30
五毛 → amount 0.5
¥3,500.50 → amount 3500.5
12,000元 → amount 12000
壹万贰仟叁佰肆拾伍元整 → amount 12345
两億三千萬 → amount 230000000
工资5000 → amount 5000
罚款五十 → amount 50
我交了200 → amount 200
每个月收我三百二管理费 → amount 320
房租2500一个月，押金5000 → amount 2500; amount 5000
一百二十块一个月 → amount 120
两千几 → amount 2000?
两千几块 → amount 2000?
五十来块 → amount 50?
百几蚊 → amount 100?
成千蚊 → amount 1000?
20多万 → amount 200000?
几百块 →
三四千块 →
十块八块 →
百分之三十五 →
3.5% →
三千港币 →
三千个人 →
一千三百五十户人家 →
一块地 →
三元里 →
缴费15年 →
一千零一夜 →
万一 →
十万个为什么 →
613482元 → amount 613482
""")

DATES = table("""
二零二六年十一月二十三号 → date 2026-11-23
二〇二六年十一月廿三 → date 2026-11-23
二零二六年，呃，十一月二十三 → date 2026-11-23
11月23 → date 2026-11-23
2026-11-23 → date 2026-11-23
2026/3/5 → date 2026-03-05
26年3月5号 → date 2026-03-05
八五年三月五号 → date 1985-03-05
日期20261123 → date 2026-11-23
昨天 → date 2026-11-24
寻日 → date 2026-11-24
琴日 → date 2026-11-24
前日 → date 2026-11-23
大前天 → date 2026-11-22
聽日 → date 2026-11-26
后日 → date 2026-11-27
大后天 → date 2026-11-28
上个礼拜三 → date 2026-11-18
下禮拜三 → date 2026-12-02
上上周五 → date 2026-11-13
星期天 → date 2026-11-29
星期一已经交了 → date 2026-11-23
上个星期三到这个星期五 → date 2026-11-18; date 2026-11-27
上个月15号 → date 2026-10-15
去年三月五号 → date 2025-03-05
旧年十二月廿三 → date 2025-12-23
出年一月一号 → date 2027-01-01
三天前 → date 2026-11-22
两个星期后 → date 2026-12-09
28号上午 → date 2026-11-28
15号报的名 → date 2026-11-15
3月1号到5号 → date 2026-03-01; date 2026-03-05
手机13800000001二零二六年十一月二十三号 → phone 13800000001; date 2026-11-23
周一 → date 2026-11-23?
15号 → date 2026-11-15?
月底 → date 2026-11-30?
上个月月初 → date 2026-10-01?
三个月前 → date 2026-08-25?
3日前 → date 2026-11-22?
八月十五 → date 2026-08-15?
2月30号 → date 2026-02-30?
2026年2月29日 → date 2026-02-29?
13月5号 → date 2026-13-05?
农历八月十五 →
正月初五 →
星期一到星期五 →
逢星期三 →
三天内 →
三个工作日后 →
3号线 →
5号楼 →
一环路12号 →
2026年11月 →
""")

CORRECTIONS = table(f"""
一三八零零，不对，一三九零零零零零零零一 → phone 13900000001
一三八零零零零零七八八，不对，是七八九 → phone 13800000789
13800000788 错了 尾号是七八九 → phone 13800000789
13800001234，最后四位不是1234，是1235 → phone 13800001235
13800000013，唔系三，系四 → phone 13800000014
13800000001，第四位是1 → phone 13810000001
13800000001，第四位不是0是1 → phone 13810000001
13800000001，不对，中间四位是0001 → phone 13800010001
一三八零零零一，不对，零零零二，零零零三 → phone 13800020003
我的电话是13800000001，重新说，13900000001 → phone 13900000001
不是13800000001，是13900000002 → phone 13900000002
一三八零零零零零零零三，噢讲错咗，尾数系四 → phone 13800000004
{ID[:14]}1231，不对，后四位是1230 → id_card {ID}
查询码613482，不对，613483 → query_code 613483
粤E12345，不对，是粤E12346 → plate 粤E12346
粤E12345 不对 最后一位是6 → plate 粤E12346
一三八零零零零零零零一，不对，零零零二，不对，零零零三 → phone 13800000003
13800001234最后四位不是1234是1235 → phone 13800001235
粤E12345，唔啱，系粤E12346 → plate 粤E12346
昨天，不对，前天 → date 2026-11-23
三千五，不对，三千八 → amount 3800
不是三千五，是三千八 → amount 3800
五十块，不对，六十 → amount 60
十一月二十三号，不对，二十四号 → date 2026-11-24
十一月二十三，不对，二十四 → date 2026-11-24
不是二十三号，是二十七号 → date 2026-11-27
13800000001打不通，不对吧，你们查613482 → phone 13800000001; query_code 613482
138 0001 2345，不对，0002 → phone 13800010002?
13800000001不是13900000001 → phone 13800000001?
三千五百，不对，六百 → amount 600?
""")

NOTHING = [
    "12345热线",
    "打110还是120",
    "一个人",
    "三个月",
    "我家三口人，一人一间房",
    "8:30到12:00",
    "8.30-12.00",
    "2020-2026",
    "验证码612345",
    "邮编528200",
    "12345678人",
    "电话86281234",
    "0757-86281234",
    "后六位是123456",
    "尾号1234",
    "三水区，九江镇，四会",
    "第一次申请，一起去二楼",
    "工单号20261123001234",
    "",
]


@pytest.mark.parametrize(("text", "values"), [*PHONES, *CODES, *PLATES, *AMOUNTS, *DATES])
def test_a_number_is_read_as_it_is_said(text: str, values: str) -> None:
    assert "; ".join(said(text)) == values


@pytest.mark.parametrize(("text", "values"), CORRECTIONS)
def test_a_correction_is_carried_out_or_left_in_doubt(text: str, values: str) -> None:
    assert "; ".join(said(text)) == values


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_no_number_of_these_kinds_is_left_alone(text: str) -> None:
    assert said(text) == []


def test_what_was_asked_for_decides_where_the_digits_do_not() -> None:
    assert read_numbers("81230000", TODAY)[0].kind is Kind.QUERY_CODE
    assert read_numbers("81230000", TODAY, expecting=Kind.PHONE)[0].kind is Kind.LANDLINE
    assert read_numbers("61-34-82", TODAY) == ()
    assert [v.value for v in read_numbers("61-34-82", TODAY, expecting=Kind.QUERY_CODE)] == ["613482"]


def test_digits_left_over_keep_the_place_they_were_said_to_have() -> None:
    (loose,) = read("身份证后四位一二三X", TODAY).loose
    assert (loose.digits, loose.place and (loose.place.where, loose.place.count)) == ("123X", ("tail", 4))


def test_a_value_says_where_it_stands_and_hides_in_its_repr() -> None:
    text = "打１３８０００００００１吧"
    (value,) = read_numbers(text, TODAY)
    assert text[value.start : value.end] == "１３８０００００００１"
    assert "138" not in repr(value)


def test_an_amount_is_a_number_in_the_contract_and_the_rest_are_texts() -> None:
    assert [v.as_json()["value"] for v in read_numbers("三千五，三块五毛，13800000001", TODAY)] == [
        3500,
        3.5,
        "13800000001",
    ]


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("一三八，零零零零，双一双三", "13800001133"),
        ("一三八两个零两个零四个八", "13800008888"),
        ("壹叁捌零零零零肆叁贰壹", "13800004321"),
        ("一三八零零零零九八七五哦不是六", "13800009876"),
        ("一三八零零零零九八七五，最后一位是六", "13800009876"),
    ],
)
def test_doubled_written_out_and_half_corrected_digits_make_one_phone_number(said: str, number: str) -> None:
    assert [(n.kind, n.value, n.valid) for n in read_numbers(said, TODAY)] == [(Kind.PHONE, number, True)]
