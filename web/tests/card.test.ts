import { describe, expect, it } from "vitest";
import { addsToText } from "../src/lib/card";

const card = { kind: "service", title: "申领居住证", rows: [{ label: "办理材料", value: "1. 身份证\n2. 地址证明" }], steps: [] };

describe("a card", () => {
  it("that only says again what the text says is left out", () => {
    expect(addsToText(card, "「申领居住证」办理材料：\n1. 身份证\n2. 地址证明")).toBe(false);
  });

  it("with one more row, or with steps, is shown", () => {
    expect(addsToText({ ...card, rows: [...card.rows, { label: "收费", value: "免费" }] }, "1. 身份证\n2. 地址证明")).toBe(true);
    expect(addsToText({ ...card, steps: [{ name: "受理", at: null, done: true }] }, "1. 身份证\n2. 地址证明")).toBe(true);
  });
});
