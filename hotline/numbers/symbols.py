"""The characters numbers are said and written with, and one spelling for all of them."""

from __future__ import annotations

import re
import unicodedata

FIGURES = "0123456789"
# 两 is a digit too: in 「两二两」 people say it for 2.
DIGITS = {c: d for d, said in zip(FIGURES, "零〇○ 一幺 二两 三 四 五 六 七 八 九".split(), strict=True) for c in said}
# Said over the telephone; words of their own elsewhere, so they count only beside another digit.
RADIO_DIGITS = {"洞": "0", "拐": "7", "勾": "9"}
# How recognisers spell 幺. 么 is also a particle: it counts only inside a row of digits.
MISHEARD_ONE = "么妖腰夭"
# Used in sums alone.
FORMAL_DIGITS = dict(zip("壹贰叁肆伍陆柒捌玖", FIGURES[1:], strict=True))
UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000, "万": 10**4, "亿": 10**8}

DIGIT_CLASS = FIGURES + "".join(DIGITS)
HAN_DIGITS = "".join(DIGITS)

# The name a Chinese voice is given for each letter comes first; then what recognisers make of it.
LETTER_NAMES: dict[str, tuple[str, ...]] = {
    "A": ("诶", "欸", "哎"), "B": ("必", "比", "币", "毕"), "C": ("西", "洗", "谁"), "D": ("迪", "弟", "帝"),
    "E": ("伊", "衣", "依"), "F": ("艾弗", "爱福", "艾付"), "G": ("吉", "鸡", "记"),
    "H": ("艾尺", "爱吃", "艾曲", "爱曲"), "I": ("爱",), "J": ("杰", "捷", "接"), "K": ("开", "凯"),
    "L": ("艾勒", "艾尔", "爱乐"), "M": ("艾姆", "爱姆", "爱慕"), "N": ("恩",), "O": ("欧",),
    "P": ("皮", "披"), "Q": ("丘", "秋", "扣"), "R": ("阿尔", "阿儿"), "S": ("艾斯", "埃斯", "爱斯"),
    "T": ("替", "提", "踢"), "U": ("优", "忧"), "V": ("维", "威", "微"),
    "W": ("达布流", "达不溜", "打不溜", "打不流"), "X": ("艾克斯", "埃克斯", "爱克斯", "叉"),
    "Y": ("歪", "外"), "Z": ("贼德", "贼"),
}  # fmt: skip
LETTER_BY_NAME = {name: letter for letter, names in LETTER_NAMES.items() for name in names}

# A row of capital numerals without units is a number written out, not a sum.
_FORMAL_RUN = re.compile("[壹贰叁肆伍陆柒捌玖零〇]{6,}")
_FORMAL_AS_SAID = str.maketrans("壹贰叁肆伍陆柒捌玖", "一二三四五六七八九")
_SIMPLIFIED = str.maketrans(
    "個萬億兩貳參陸號後對錯說講話電機碼證車塊錢圓聽尋禮舊粵滬蘇魯贛遼閩貴陝寧瓊雲係間這週還麼餘幾給頭資費罰賠發時學應該"
    "來點開當訂單驗郵編農曆陰過為數頓領掛雙兒從報記絡絲聯繫統統碼賬帳戶號蘭業執務邊隨諗無齊減橫線處項進問題補貼總價賣買貸"
    "約",
    "个万亿两贰叁陆号后对错说讲话电机码证车块钱圆听寻礼旧粤沪苏鲁赣辽闽贵陕宁琼云系间这周还么余几给头资费罚赔发时学应该"
    "来点开当订单验邮编农历阴过为数顿领挂双儿从报记络丝联系统统码账账户号兰业执务边随谂无齐减横线处项进问题补贴总价卖买贷"
    "约",
)


def prepare(text: str) -> str:
    """``text`` in one spelling: half width, upper case, simplified. Every character keeps its place.

    「，」 stays: between figures it parts numbers, where 「,」 groups thousands.
    """
    folded = (c if c == "，" else unicodedata.normalize("NFKC", c) for c in text)
    same = "".join(f if len(f) == 1 else c for f, c in zip(folded, text, strict=True))
    upper = "".join(u if len(u := c.upper()) == 1 else c for c in same)
    return _FORMAL_RUN.sub(lambda run: run.group().translate(_FORMAL_AS_SAID), upper.translate(_SIMPLIFIED))
