import { describe, expect, it } from "vitest";
import { Timeline } from "../src/lib/timeline";
import { reply } from "./fakes";

function shown(timeline: Timeline): string[] {
  return timeline.items.flatMap((item) =>
    item.kind === "agent"
      ? [`坐席:${item.text}`]
      : [...(item.text === null ? [] : [`我:${item.text}`]), ...item.replies.map((answer) => answer.text)],
  );
}

describe("the timeline", () => {
  it("shows an answer once when the post and the event both bring it", () => {
    const timeline = new Timeline();
    timeline.begin("m1", "居住证怎么办");
    timeline.settle("m1", "t1", [reply("带身份证")]);
    timeline.pushReply(5, "t1", "居住证怎么办", reply("带身份证"));
    expect(shown(timeline)).toEqual(["我:居住证怎么办", "带身份证"]);
  });

  it("keeps both replies of a turn and adds one that only the events bring", () => {
    const timeline = new Timeline();
    timeline.begin("m1", "问");
    timeline.settle("m1", "t1", [reply("一"), reply("二")]);
    for (const [seq, text] of [[5, "一"], [5, "二"], [6, "三"]] as const) timeline.pushReply(seq, "t1", "问", reply(text));
    expect(shown(timeline)).toEqual(["我:问", "一", "二", "三"]);
  });

  it("shows the greeting once when the events repeat it with its turn id", () => {
    const timeline = new Timeline();
    timeline.greet([reply("您好")]);
    timeline.pushReply(1, "t0", null, reply("您好"));
    timeline.pushReply(1, "t0", null, reply("您好"));
    expect(shown(timeline)).toEqual(["您好"]);
  });

  it("shows one turn where a message turns out to be in the history already", () => {
    const timeline = new Timeline();
    timeline.load([{ turnId: "t1", seq: 3, text: "我的电话 138****0000", replies: [reply("记下了")] }]);
    timeline.begin("m1", "我的电话 13800000000");
    timeline.settle("m1", "t1", [reply("记下了")]);
    expect(shown(timeline)).toEqual(["我:我的电话 138****0000", "记下了"]);
  });

  it("puts an agent's line from the events where it was said", () => {
    const timeline = new Timeline();
    timeline.load([
      { turnId: "t1", seq: 2, text: "转人工", replies: [reply("好的")] },
      { turnId: "t2", seq: 8, text: "谢谢", replies: [] },
    ]);
    timeline.pushAgentLine(5, "您好");
    timeline.pushAgentLine(5, "您好");
    expect(shown(timeline)).toEqual(["我:转人工", "好的", "坐席:您好", "我:谢谢"]);
  });

  it("shows a tapped button by its title after a reload", () => {
    const timeline = new Timeline();
    timeline.load([
      { turnId: "t1", seq: 1, text: "社保卡", replies: [reply("哪一项？", { buttons: [{ title: "补领", payload: "/pick{9}" }] })] },
      { turnId: "t2", seq: 2, text: "/pick{9}", replies: [reply("好的")] },
    ]);
    expect(shown(timeline)).toContain("我:补领");
  });

  it("takes an answer that arrives for a message it had given up", () => {
    const timeline = new Timeline();
    timeline.begin("m1", "问");
    timeline.fail("m1", "网络不通", true);
    timeline.pushReply(4, "t1", "问", reply("答"));
    expect(shown(timeline)).toEqual(["我:问", "答"]);
    expect(timeline.turns[0]).toMatchObject({ status: "sent", problem: null });
  });
});
