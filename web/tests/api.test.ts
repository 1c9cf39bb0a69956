import { afterEach, describe, expect, it, vi } from "vitest";
import { httpApi, NetworkError, ProblemError } from "../src/lib/api";
import { newId } from "../src/lib/ids";
import { parseEventFrame, parseReply } from "../src/lib/parse";
import { pieces } from "../src/lib/richText";
import { fieldName } from "../src/lib/sourceNames";
import { countCharacters } from "../src/lib/words";

const key = { id: "c1", token: "secret" };

function answers(status: number, body: string): ReturnType<typeof vi.fn> {
  const fetched = vi.fn(async () => new Response(body, { status }));
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

afterEach(() => vi.unstubAllGlobals());

describe("the chat routes", () => {
  it("a message carries its token, its text and its id", async () => {
    const fetched = answers(200, JSON.stringify({ turn_id: "t1", state: "queued", replies: [{ text: "好的" }] }));
    const answer = await httpApi.sendMessage(key, "转人工", "id-1");
    const [path, init] = fetched.mock.calls[0] as [string, RequestInit];
    expect(path).toBe("/api/v1/conversations/c1/messages");
    expect(init.headers).toMatchObject({ Authorization: "Bearer secret" });
    expect(JSON.parse(String(init.body))).toEqual({ text: "转人工", client_message_id: "id-1" });
    expect(answer).toMatchObject({ turnId: "t1", state: "queued", replies: [{ text: "好的", buttons: [] }] });
  });

  it("a refusal brings the gateway's own sentence", async () => {
    answers(409, JSON.stringify({ title: "closed", detail: "这次对话已经结束。" }));
    await expect(httpApi.history(key)).rejects.toMatchObject({ status: 409, message: "这次对话已经结束。" });
  });

  it("a proxy's page is no sentence for a citizen", async () => {
    answers(502, "<html>Bad Gateway</html>");
    await expect(httpApi.createConversation()).rejects.toThrow(/12345/);
  });

  it("an answer that cannot be read is a named problem, not a network failure", async () => {
    answers(200, "<html>");
    await expect(httpApi.sendMessage(key, "问", "id")).rejects.toBeInstanceOf(ProblemError);
  });

  it("no answer at all is a network failure", async () => {
    vi.stubGlobal("fetch", async () => {
      throw new TypeError("failed");
    });
    await expect(httpApi.sendMessage(key, "问", "id")).rejects.toBeInstanceOf(NetworkError);
  });
});

describe("what the gateway sends", () => {
  it("a sparse reply gets its defaults and a strange one does no harm", () => {
    expect(parseReply({ text: "答" })).toEqual({ text: "答", buttons: [], card: null, sources: [] });
    expect(parseReply(null).text).toBe("");
    expect(parseReply({ text: "答", buttons: [{ title: "空" }, 3], card: [], sources: "x" })).toMatchObject({ buttons: [], sources: [] });
  });

  it("a card keeps rows and steps, whatever its kind", () => {
    const { card } = parseReply({
      text: "",
      card: { kind: "novel", title: "表", rows: [{ label: "收费", value: 0 }, { label: "无" }], steps: [{ name: "受理", at: null, done: true }] },
    });
    expect(card).toEqual({ kind: "novel", title: "表", rows: [{ label: "收费", value: "0" }], steps: [{ name: "受理", at: null, done: true }] });
  });

  it("an event's reply may be nested or flat", () => {
    const flat = parseEventFrame(JSON.stringify({ type: "reply", seq: 1, turn_id: "t", text: "答" }));
    const nested = parseEventFrame(JSON.stringify({ type: "reply", seq: 1, turn_id: "t", reply: { text: "答" } }));
    expect([flat, nested]).toMatchObject([{ reply: { text: "答" } }, { reply: { text: "答" }, text: null }]);
  });
});

describe("words", () => {
  it("characters are counted as the gateway counts them", () => {
    expect(countCharacters("  ａ　 字 ")).toBe(3);
    expect(countCharacters("😀😀")).toBe(2);
  });

  it("telephone numbers and addresses can be tapped, other numbers cannot", () => {
    expect(pieces("打 0757-12345678 或 12345，见 https://example.gov.cn/a。办件 9912345，11234567").filter((p) => p.href)).toEqual([
      { text: "0757-12345678", href: "tel:075712345678" },
      { text: "12345", href: "tel:12345" },
      { text: "https://example.gov.cn/a", href: "https://example.gov.cn/a" },
    ]);
  });

  it("markup in a reply stays text", () => {
    expect(pieces("<img src=x onerror=alert(1)>")).toEqual([{ text: "<img src=x onerror=alert(1)>", href: null }]);
  });

  it("a source's field has a Chinese name, or is shown as it is", () => {
    expect([fieldName("materials"), fieldName("facts.fee"), fieldName("novel")]).toEqual(["办理材料", "收费", "novel"]);
  });

  it("ids are random version 4 UUIDs", () => {
    expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(newId()).not.toBe(newId());
  });
});
