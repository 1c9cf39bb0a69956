"""``python -m knowledge_base.index --cache FOLDER``: makes what the search keeps between starts.

Vectors of all phrases and the phrase classifier: part of the training, so that the first start of
the action server finds them. Nothing is made twice.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hotline.errors import GuideError
from knowledge_base.catalogue import DEFAULT_FOLDER, load_catalogue
from knowledge_base.search import HybridSearch, SentenceEncoder


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m knowledge_base.index", description="准备事项检索")
    parser.add_argument("--cache", type=Path, required=True, help="存放向量和分类器的文件夹")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="知识库文件夹")
    parser.add_argument("--model", default="", help="句向量模型（设置 EMBEDDING_MODEL）")
    chosen = parser.parse_args(arguments)
    try:
        catalogue = load_catalogue(chosen.folder)
    except GuideError as error:
        print(error.detail, file=sys.stderr)
        return 1
    HybridSearch(catalogue.items.values(), SentenceEncoder(chosen.model), chosen.cache)
    print(f"事项检索已备好：{len(catalogue)} 个事项")
    return 0


if __name__ == "__main__":
    sys.exit(main())
