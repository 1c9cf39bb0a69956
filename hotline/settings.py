"""Every setting, with its environment variable and default. docs/settings.md lists them all."""

from __future__ import annotations

from functools import cached_property
from ipaddress import ip_network
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Read from the environment; names are the field names in capitals."""

    model_config = SettingsConfigDict(env_file=ROOT / ".env", extra="ignore")

    host: str = Field("127.0.0.1", description="网关监听地址")
    port: int = Field(8000, description="网关端口")
    data_dir: Path = Field(ROOT / "var", description="数据库、日志和密钥所在目录")
    models_dir: Path = Field(ROOT / "models", description="语音模型和检索模型所在目录")

    database_url: str = Field("", description="对话数据库；空则用 DATA_DIR 下的 SQLite")
    rasa_port: int = Field(5005, description="Rasa 引擎端口")
    actions_port: int = Field(5055, description="动作服务端口")
    hub_port: int = Field(8100, description="参考数据中台端口")
    hub_url: str = Field("", description="数据中台地址；空则用本机的参考中台")
    hub_paasid: str = Field("nanhai-hotline", description="数据中台分配的应用号（x-tif-paasid）")
    hub_token: str = Field("", description="数据中台分配的令牌；空则首次启动时生成并存于 DATA_DIR")

    hub_order_moves: bool = Field(True, description="工单交给中台之后的流转也告诉中台；中台没有这个接口就设 false")
    hub_timeout_s: float = Field(0.9, description="一次中台请求的时限（秒）")
    action_deadline_s: float = Field(1.8, description="一个动作的总时限（秒）")
    dialogue_deadline_s: float = Field(2.6, description="网关等引擎答复的时限（秒）")

    embedding_model: str = Field("", description="句向量模型；空则用 pip 带来的 multilingual-e5-small")
    stt_engine: str = Field("auto", description="auto | vosk | sherpa | whisper")
    tts_engine: str = Field("auto", description="auto | kokoro | espeak")
    vosk_model_path: str = Field("", description="Vosk 中文模型目录；空则用 MODELS_DIR 下的")
    whisper_model_path: str = Field("", description="faster-whisper 模型目录；空则用 MODELS_DIR 下的")
    sherpa_model_path: str = Field("", description="sherpa-onnx 模型目录（流式 zipformer、paraformer，或 SenseVoice）")
    sherpa_language: str = Field("auto", description="SenseVoice 听哪种话：auto | zh | yue | en")
    partial_every_s: float = Field(1.5, description="Whisper、SenseVoice 每听多少秒给一次中间结果；0 为不给")
    asr_max_streams: int = Field(32, description="/asr 同时最多识别几路")
    speech_threads: int = Field(2, description="识别和合成各用的线程数")
    endpoint_silence_ms: int = Field(700, description="说完后静音多久算一句（毫秒）")
    silence_prompt_s: float = Field(12.0, description="来电人多久不出声就问一次（秒）")
    silence_hangup_s: float = Field(110.0, description="来电人一直不出声多久后道别挂断（秒）")
    call_idle_s: float = Field(60.0, description="通话多久收不到任何一帧就挂断（秒）")
    opening_after_ms: int = Field(250, description="说完后多久还没有答复就先出一声「嗯」（毫秒）；0 不出声")
    calls_max: int = Field(50, description="同时最多几通电话（各个入口合计）")
    calls_per_caller: int = Field(0, description="同一个号码同时最多几通；0 不限")
    telephony_host: str = Field("127.0.0.1", description="AudioSocket、SIP 和 RTP 的监听地址")
    telephony_allow: str = Field("", description="允许打进来的地址段，逗号分隔；空则不限")
    audiosocket_port: int = Field(9092, description="Asterisk AudioSocket 端口（TCP）；0 不开")
    sip_port: int = Field(5060, description="SIP 端口（UDP）；0 不开")
    sip_advertised_host: str = Field("", description="话机看到的本机地址（经过地址转换时）；空则用收到来电的地址")
    rtp_port_min: int = Field(20000, description="RTP 端口范围的开头（UDP）；一通 SIP 电话用两个")
    rtp_port_max: int = Field(20400, description="RTP 端口范围的末尾")
    rtp_lost_s: float = Field(20.0, description="SIP 通话多久收不到任何一个包就挂断（秒）")
    max_utterance_s: float = Field(30.0, description="一句话最长多久（秒）")

    recording: bool = Field(True, description="通话录音（加密保存）；关了就不录，问候语也不说录音")
    recording_days: int = Field(90, ge=1, description="录音保存多少天，到期删除")
    recording_max_mb: int = Field(20000, ge=1, description="录音总共最多占多少 MB，超出时从最早的删起")

    consult_days: int = Field(2, description="咨询的办理时限（工作日）")
    help_days: int = Field(10, description="求助、建议的办理时限（工作日）")
    complaint_days: int = Field(15, description="投诉、举报的办理时限（工作日）")
    extension_days_max: int = Field(15, description="一次延期最多几个工作日")
    revisit_days: int = Field(15, description="差评后多少个工作日内必须回访")
    due_warning_days: int = Field(2, description="到期前几个工作日开始提醒")
    holidays_file: str = Field("", description="自备的节假日安排（YAML）；空则只用 holidays 库里已公布的")
    auto_dispatch: bool = Field(False, description="有把握的派单建议是否不经坐席直接派出")
    confidential_roles: str = Field("supervisor", description="能看保密举报的角色，用逗号隔开")
    department_staff: str = Field(
        "", description="承办部门的账号，写成 账号=部门，用逗号隔开；这些账号只办本部门的工单"
    )
    attachment_max_mb: int = Field(10, description="一个附件最大多少 MB")
    attachments_max: int = Field(9, description="一张工单最多几个附件")
    line_token: str = Field("", description="动作服务向网关登记诉求的令牌；空则首次启动时生成并存于 DATA_DIR")
    open311_api_keys: str = Field("", description="Open311 登记诉求的 api_key，用逗号隔开；空则不能经 Open311 登记")
    open311_jurisdiction: str = Field("nanhai.gov.cn", description="Open311 的 jurisdiction_id")
    handoff_misunderstandings: int = Field(2, description="连着几次没听懂就转人工；0 不转")
    handoff_unclear_turns: int = Field(2, description="电话里连着几次听不清就转人工；0 不转")
    handoff_min_confidence: float = Field(0.35, description="识别把握低于多少算听不清")
    handoff_elder_age: int = Field(0, description="说自己满多少岁就直接转人工，如 65；0 不看年龄")
    desk_offer_s: float = Field(20.0, description="派给坐席后等多久算没有应答（秒）")
    desk_after_call_s: float = Field(60.0, description="话后处理多久自动转就绪（秒）")
    desk_skill_wait_s: float = Field(60.0, description="等多久还没有合适的坐席，就派给任何就绪的坐席（秒）")
    desk_max_conversations: int = Field(3, description="一位坐席同时接待几个对话；电话只能一通")
    desk_agent_grace_s: float = Field(45.0, description="坐席的页面断开多久，手上的对话回到队列（秒）")
    queue_gone_s: float = Field(180.0, description="排队的市民关了网页多久，改为回访任务（秒）")

    session_turns: int = Field(12, description="多少轮后让引擎收短自己的历史")
    handoff_number: str = Field("12345", description="人工热线号码")

    public_url: str = Field("", description="工作人员打开网页用的地址，如 https://rexian.example.gov.cn；空则看请求")
    session_idle_minutes: int = Field(30, description="多少分钟不操作就要重新登录")
    session_hours: int = Field(12, description="登录一次最多用多少小时")
    sign_in_tries: int = Field(5, description="一个账号连续输错多少次就锁定")
    sign_in_tries_per_address: int = Field(20, description="一个网络地址连续输错多少次就锁定")
    sign_in_lock_minutes: int = Field(15, description="锁定多少分钟；也是数失败次数的时间段")
    argon2_time_cost: int = Field(3, description="argon2 的遍数")
    argon2_memory_kib: int = Field(65536, description="argon2 的内存（KiB）")
    audit_key_file: str = Field("", description="审计记录的密钥文件；空则用 DATA_DIR 下的 audit.key")
    oidc_issuer: str = Field("", description="统一认证的 issuer 地址；空则只用本地账号")
    oidc_client_id: str = Field("", description="在统一认证登记的客户端编号")
    oidc_client_secret: str = Field("", description="客户端密钥；空则是公开客户端，只靠 PKCE")
    oidc_scopes: str = Field("openid profile", description="向统一认证要的 scope")
    oidc_role_claim: str = Field("roles", description="写着角色的 claim，可用点号进到里层")
    oidc_roles: str = Field("", description="claim 的值对应哪个角色：值=角色，用逗号隔开")
    oidc_label: str = Field("统一身份认证", description="登录页上那个按钮的字")

    insights_k: int = Field(5, ge=2, description="统计里少于几个人的格子不显示")
    insights_every_s: float = Field(60.0, description="统计进程多久补记一次（秒）")
    insights_night_hour: int = Field(3, ge=0, le=23, description="几点做夜里的话题整理")
    insights_whole_run_days: int = Field(7, ge=1, description="多少天重做一次全部话题")
    wall_display_days: int = Field(180, ge=1, description="大屏的显示码多少天后到期")
    insights_webhook_url: str = Field("", description="预警推送到哪里；空则不推送")
    insights_webhook_secret: str = Field("", description="预警推送的签名密钥")

    @field_validator("telephony_allow")
    @classmethod
    def _networks(cls, text: str) -> str:
        for word in text.split(","):
            if word.strip():
                ip_network(word.strip(), strict=False)
        return text

    @field_validator("data_dir", "models_dir")
    @classmethod
    def _from_here(cls, folder: Path) -> Path:
        """A relative folder is meant from where the command was given, in every process alike."""
        return folder.expanduser().resolve()

    @cached_property
    def effective_hub_url(self) -> str:
        return self.hub_url or f"http://127.0.0.1:{self.hub_port}"

    @property
    def departments_by_account(self) -> dict[str, str]:
        pairs = (pair.partition("=") for pair in self.department_staff.split(",") if "=" in pair)
        return {name.strip(): department.strip() for name, _, department in pairs}

    @property
    def effective_gateway_url(self) -> str:
        """Where the actions reach the gateway on this machine."""
        return f"http://{'127.0.0.1' if self.host in ('0.0.0.0', '::') else self.host}:{self.port}"  # noqa: S104

    @property
    def effective_database_url(self) -> str:
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'hotline.db'}"

    @property
    def effective_audit_key_file(self) -> Path:
        return Path(self.audit_key_file).expanduser() if self.audit_key_file else self.data_dir / "audit.key"

    @cached_property
    def oidc_role_map(self) -> dict[str, str]:
        """``值=角色,值=角色`` as a dict; what has no role in it is left out."""
        pairs = (pair.partition("=") for pair in self.oidc_roles.split(","))
        return {value.strip(): role.strip() for value, _, role in pairs if role.strip()}
