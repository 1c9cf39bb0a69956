/** What ECharts is told; numbers only, no element. Colours: Okabe and Ito (2008), told apart by colour-blind eyes. */
import type { EChartsCoreOption } from "echarts/core";
import { shown, type Unit, WEEKDAYS } from "./figures";

export const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];
const FONT = '"PingFang SC", "HarmonyOS Sans SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", system-ui, sans-serif';

/** How a chart looks on its ground: on paper, or on the dark screen of a wall, read from metres away. */
export interface Tone {
  ink: string;
  rule: string;
  size: number;
  width: number;
  colours: string[];
}
export const PAPER: Tone = { ink: "#4d5a68", rule: "#e3eaf2", size: 12, width: 2, colours: PALETTE };
export const WALL: Tone = { ink: "#dbe7f5", rule: "#2b4c74", size: 20, width: 4, colours: ["#56b4e9", "#e69f00", "#4fd1ae", "#f0a8cf", "#f0e442", "#ffffff"] };

const still = (tone: Tone) => ({ animation: false, color: tone.colours, textStyle: { fontFamily: FONT, fontSize: tone.size, color: tone.ink }, aria: { enabled: true } });
const axis = (tone: Tone) => ({
  axisLabel: { color: tone.ink, fontSize: tone.size, hideOverlap: true },
  axisLine: { lineStyle: { color: tone.rule } },
  axisTick: { show: false },
  splitLine: { lineStyle: { color: tone.rule } },
});

/** A number at an axis: as short as it may be. */
export function axisWords(value: number, unit: Unit): string {
  const plain = Number(value.toPrecision(6));
  if (unit === "share") return `${Number((value * 100).toFixed(1))}%`;
  if (unit === "count") return Math.abs(plain) >= 10_000 ? `${Number((plain / 10_000).toFixed(1))} 万` : plain.toLocaleString("zh-CN");
  return String(plain);
}

export const UNIT_NAMES: Record<Unit, string> = { count: "", share: "", seconds: "秒", score: "分", days: "天", probability: "0–1" };

export interface Line {
  name: string;
  values: Array<number | null>;
}

/** Lines also differ by dash and symbol. */
export function lines(labels: string[], series: Line[], unit: Unit, tone: Tone = PAPER): EChartsCoreOption {
  const dashes = ["solid", "dashed", "dotted", [10, 4, 2, 4], [16, 4]];
  const symbols = ["circle", "rect", "triangle", "diamond", "pin"];
  const many = series.length > 1;
  // A share or a score of 4.2 to 4.4 would be a flat line over zero; a count starts at zero, so that twice is twice as high.
  const free = unit === "score" || unit === "probability";
  return {
    ...still(tone),
    grid: { left: 8, right: 20, top: many ? tone.size * 3 : UNIT_NAMES[unit] ? tone.size * 2.4 : tone.size, bottom: 4, containLabel: true },
    legend: { show: many, top: 0, left: 0, type: "scroll", itemWidth: 34, textStyle: { color: tone.ink, fontSize: tone.size } },
    tooltip: { trigger: "axis", renderMode: "richText", valueFormatter: (value: unknown) => shown(value as number | null, unit) },
    xAxis: { type: "category", data: labels, boundaryGap: false, ...axis(tone), splitLine: { show: false } },
    yAxis: {
      type: "value", scale: free, ...(free ? {} : { min: 0 }), name: UNIT_NAMES[unit], nameTextStyle: { color: tone.ink, align: "right" }, splitNumber: 4,
      ...axis(tone), axisLabel: { color: tone.ink, fontSize: tone.size, formatter: (value: number) => axisWords(value, unit) }, ...(unit === "count" ? { minInterval: 1 } : {}),
    }, // prettier-ignore
    series: series.map((line, n) => ({
      type: "line",
      name: line.name,
      data: line.values,
      symbol: symbols[n % symbols.length],
      symbolSize: labels.length > 60 ? 3 : tone.size / 2,
      showSymbol: labels.length <= 62 || many,
      lineStyle: { type: dashes[n % dashes.length], width: tone.width },
      ...(many ? {} : { areaStyle: { opacity: 0.08 } }),
    })),
  };
}

/** Standing bars, for hours of a day: an hour that is hidden is a hole, not a zero. */
export function columns(labels: string[], values: Array<number | null>, unit: Unit, tone: Tone = PAPER): EChartsCoreOption {
  return {
    ...still(tone),
    grid: { left: 4, right: 8, top: tone.size * 1.6, bottom: 0, containLabel: true },
    xAxis: { type: "category", data: labels, ...axis(tone), splitLine: { show: false } },
    yAxis: { type: "value", min: 0, splitNumber: 4, minInterval: 1, ...axis(tone), axisLabel: { color: tone.ink, fontSize: tone.size, formatter: (value: number) => axisWords(value, unit) } },
    series: [{ type: "bar", data: values, barMaxWidth: tone.size * 2, itemStyle: { borderRadius: [3, 3, 0, 0] } }],
  };
}

export interface Bar {
  name: string;
  value: number | null;
  /** Written beside the bar instead of the value. */
  words?: string;
}

/** Lying bars, each with its value written beside it; the longest on top. */
export function bars(rows: Bar[], unit: Unit, tone: Tone = PAPER): EChartsCoreOption {
  return {
    ...still(tone),
    grid: { left: 4, right: tone.size * 6, top: 4, bottom: 4, containLabel: true },
    xAxis: { type: "value", min: 0, axisLabel: { show: false }, splitLine: { show: false } },
    yAxis: {
      type: "category", inverse: true, data: rows.map((row) => row.name), ...axis(tone), axisLine: { show: false },
      axisLabel: { color: tone.ink, fontSize: tone.size, width: tone.size * 11, overflow: "truncate" },
    }, // prettier-ignore
    series: [
      {
        type: "bar",
        data: rows.map((row) => row.value),
        barMaxWidth: tone.size * 1.3,
        itemStyle: { borderRadius: [0, 3, 3, 0] },
        label: { show: true, position: "right", color: tone.ink, fontSize: tone.size, formatter: (at: { value: unknown; dataIndex?: number }) => rows[at.dataIndex ?? -1]?.words ?? shown(at.value as number | null, unit) },
      },
    ],
  };
}

/** Parts of a whole in one bar for each row: told apart by pattern as well as by colour. */
export function stacked(rows: string[], parts: Array<{ name: string; values: Array<number | null>; colour?: string }>, unit: Unit, tone: Tone = PAPER): EChartsCoreOption {
  return {
    ...still(tone),
    aria: { enabled: true, decal: { show: true } },
    grid: { left: 4, right: 12, top: tone.size * 2.6, bottom: 4, containLabel: true },
    legend: { top: 0, left: 0, type: "scroll", textStyle: { color: tone.ink, fontSize: tone.size } },
    tooltip: { trigger: "axis", axisPointer: { type: "none" }, renderMode: "richText", valueFormatter: (value: unknown) => shown(value as number | null, unit) },
    xAxis: { type: "value", min: 0, ...(unit === "share" ? { max: 1 } : {}), ...axis(tone), axisLabel: { color: tone.ink, fontSize: tone.size, formatter: (value: number) => axisWords(value, unit) } },
    yAxis: { type: "category", inverse: true, data: rows, ...axis(tone), axisLine: { show: false } },
    series: parts.map((part) => ({ type: "bar", stack: "whole", name: part.name, data: part.values, barMaxWidth: 22, ...(part.colour ? { itemStyle: { color: part.colour } } : {}) })),
  };
}

/** One hue from light to dark, which no colour blindness confuses. */
export function week(values: Array<Array<number | null>>, unit: Unit, tone: Tone = PAPER): EChartsCoreOption {
  const cells = values.flatMap((row, day) => row.flatMap((value, hour) => (value === null ? [] : [[hour, day, value]])));
  const most = Math.max(0, ...cells.map((cell) => cell[2]!)) || 1;
  return {
    ...still(tone),
    grid: { left: 4, right: 8, top: 4, bottom: tone.size * 3.6, containLabel: true },
    tooltip: {
      renderMode: "richText",
      formatter: (at: { value: [number, number, number] }) => `${WEEKDAYS[at.value[1]]} ${at.value[0]} 时：${shown(at.value[2], unit)}`,
    },
    xAxis: { type: "category", data: Array.from({ length: 24 }, (_, hour) => `${hour} 时`), ...axis(tone) },
    yAxis: { type: "category", inverse: true, data: WEEKDAYS, ...axis(tone), axisLine: { show: false } },
    visualMap: {
      min: 0,
      max: most,
      text: [axisWords(most, unit), "0"],
      orient: "horizontal",
      left: "center",
      bottom: 0,
      itemHeight: 120,
      itemWidth: 12,
      textStyle: { color: tone.ink, fontSize: tone.size },
      formatter: (value: number) => axisWords(value, unit),
      inRange: { color: ["#eaf3fb", "#0072b2", "#00263d"] },
    },
    series: [{ type: "heatmap", data: cells, itemStyle: { borderColor: "#fff", borderWidth: 1 } }],
  };
}
