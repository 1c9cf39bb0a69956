"""Numbers as people say them and recognisers write them: the other direction of hotline.numbers."""

from __future__ import annotations

from random import Random

import cn2an

from hotline.numbers.checks import credit_check_character, id_check_digit

_SAID = {
    "0": "零零零〇洞", "1": "幺幺一", "2": "二二两", "3": "三", "4": "四", "5": "五", "6": "六",
    "7": "七七拐", "8": "八", "9": "九九勾",
}  # fmt: skip
_FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
_PAUSES = (" ", "  ", "-", "，", "、", "，呃，", "嗯", "呃", "然后", "然后是", "后面是", "，就是", "… ", "跟住")


def digits(random: Random, number: str, groups: tuple[int, ...]) -> str:
    """``number`` in hanzi, figures or both, with pauses between ``groups`` (lengths)."""
    style = random.choice(["figures", "hanzi", "mixed", "full width"])
    parts, at = [], 0
    for length in groups:
        part = number[at : at + length]
        at += length
        written = random.choice(["figures", "hanzi"]) if style == "mixed" else style
        parts.append(_written(random, part, written))
    pause = random.choice(_PAUSES) if random.random() < 0.7 else ""
    return pause.join(parts)


def _written(random: Random, part: str, style: str) -> str:
    if style == "figures":
        return part if random.random() < 0.7 else part.lower()
    if style == "full width":
        return part.translate(_FULL_WIDTH)
    said, at = "", 0
    while at < len(part):
        run = 1
        while at + run < len(part) and part[at + run] == part[at]:
            run += 1
        if run >= 2 and part[at].isdigit() and part[at] != "1" and random.random() < 0.3:
            said += random.choice([f"{'两三四五六七八九'[run - 2]}个"]) + _plain(part[at])
            at += run
            continue
        said += _one(random, part, at)
        at += 1
    return said


def _plain(digit: str) -> str:
    return "零一二三四五六七八九"[int(digit)]


def _one(random: Random, part: str, at: int) -> str:
    if part[at] == "X":
        return random.choice(["X", "x", "叉", "艾克斯", "埃克斯"])
    said = random.choice(_SAID[part[at]])
    # 洞, 拐, 勾 are said beside other digits only.
    return said if said not in "洞拐勾" or len(part) > 2 else _plain(part[at])


def mobile(random: Random) -> str:
    return f"1{random.randint(3, 9)}{random.randrange(10**9):09d}"


def id_card(random: Random) -> str:
    first = f"990{random.randint(100, 999)}{random.randint(1940, 2020)}{random.randint(1, 12):02d}"
    first += f"{random.randint(1, 28):02d}{random.randrange(1000):03d}"
    return first + id_check_digit(first)


def credit_code(random: Random) -> str:
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    first = "91" + "990000" + "".join(random.choice(alphabet) for _ in range(9))
    return first + credit_check_character(first)


def plate(random: Random) -> str:
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    if random.random() < 0.3:
        return f"粤{random.choice('EXY')}{random.choice('DF')}{random.randrange(10**5):05d}"
    serial = [random.choice("0123456789") for _ in range(5)]
    if random.random() < 0.5:
        serial[random.randrange(5)] = random.choice(letters)
    return f"粤{random.choice('AEXY')}{''.join(serial)}"


def said_plate(random: Random, number: str) -> str:
    serial = number[2:]
    if random.random() < 0.5:
        serial = "".join(random.choice(_SAID[c]) if c.isdigit() else c for c in serial)
    return number[0] + number[1] + random.choice(["", "·", " ", "-"]) + serial


def sum_of_money(random: Random, yuan: int) -> str:
    """``yuan`` in one of the ways people say it."""
    style = random.choice(["hanzi", "hanzi", "figures", "commas"])
    unit = random.choice(["元", "块", "块钱", "蚊"])
    if style == "figures":
        return f"{yuan}{unit}"
    if style == "commas":
        return f"{yuan:,}{unit}"
    said: str = cn2an.an2cn(str(yuan), "low")
    if random.random() < 0.5:
        said = said.replace("二千", "两千").replace("二万", "两万").replace("二百", "两百")
    if said.startswith("一十"):
        said = said[1:]
    return said + unit


def day(random: Random, year: int, month: int, number: int) -> str:
    """A date in one of the ways people say it."""
    if random.random() < 0.3:
        return f"{year}年{month}月{number}{random.choice('日号')}"
    if random.random() < 0.2:
        return f"{year}-{month:02d}-{number:02d}"
    said_year = "".join("零一二三四五六七八九"[int(c)] for c in str(year))
    month_said = cn2an.an2cn(str(month), "low").removeprefix("一") if month >= 10 else cn2an.an2cn(str(month), "low")
    said = cn2an.an2cn(str(number), "low")
    said = said.removeprefix("一") if 10 <= number < 20 else said
    if 21 <= number <= 29 and random.random() < 0.3:
        said = "廿" + said[2:]
    return f"{said_year}年{month_said}月{said}{random.choice(['日', '号', ''])}"
