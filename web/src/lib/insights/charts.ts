/** What ECharts is told; numbers only, no element. Colours: Okabe and Ito (2008), told apart by colour-blind eyes. */
import type { EChartsCoreOption } from "echarts/core";
import { shown, type Unit, WEEKDAYS } from "./figures";

export const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];
const STILL = { animation: false, textStyle: { fontFamily: "inherit" }, aria: { enabled: true } };

export interface Line {
  name: string;
  values: Array<number | null>;
}

/** Lines also differ by dash and symbol. */
export function lines(labels: string[], series: Line[], unit: Unit): EChartsCoreOption {
  const dashes = ["solid", "dashed", "dotted"];
  const symbols = ["circle", "rect", "triangle", "diamond"];
  return {
    ...STILL,
    color: PALETTE,
    grid: { left: 8, right: 16, top: series.length > 1 ? 36 : 16, bottom: 8, containLabel: true },
    legend: { show: series.length > 1, top: 0 },
    tooltip: { trigger: "axis", renderMode: "richText", valueFormatter: (value: unknown) => shown(value as number | null, unit) },
    xAxis: { type: "category", data: labels },
    yAxis: { type: "value", min: 0, axisLabel: { formatter: (value: number) => shown(value, unit) } },
    series: series.map((line, n) => ({
      type: "line",
      name: line.name,
      data: line.values,
      symbol: symbols[n % symbols.length],
      symbolSize: 6,
      lineStyle: { type: dashes[n % dashes.length], width: 2 },
    })),
  };
}

/** Lying bars, each with its value written beside it; the longest on top. */
export function bars(rows: Array<{ name: string; value: number | null }>, unit: Unit): EChartsCoreOption {
  return {
    ...STILL,
    color: PALETTE,
    grid: { left: 8, right: 72, top: 8, bottom: 8, containLabel: true },
    xAxis: { type: "value", min: 0, axisLabel: { show: false }, splitLine: { show: false } },
    yAxis: { type: "category", inverse: true, data: rows.map((row) => row.name), axisTick: { show: false } },
    series: [
      {
        type: "bar",
        data: rows.map((row) => row.value),
        barMaxWidth: 18,
        label: { show: true, position: "right", formatter: (at: { value: unknown }) => shown(at.value as number | null, unit) },
      },
    ],
  };
}

/** One hue from light to dark, which no colour blindness confuses. */
export function week(values: Array<Array<number | null>>, unit: Unit): EChartsCoreOption {
  const cells = values.flatMap((row, day) => row.flatMap((value, hour) => (value === null ? [] : [[hour, day, value]])));
  return {
    ...STILL,
    grid: { left: 8, right: 8, top: 8, bottom: 48, containLabel: true },
    tooltip: {
      renderMode: "richText",
      formatter: (at: { value: [number, number, number] }) => `${WEEKDAYS[at.value[1]]} ${at.value[0]} 时：${shown(at.value[2], unit)}`,
    },
    xAxis: { type: "category", data: Array.from({ length: 24 }, (_, hour) => `${hour}`) },
    yAxis: { type: "category", inverse: true, data: WEEKDAYS },
    visualMap: {
      min: 0,
      max: Math.max(0, ...cells.map((cell) => cell[2]!)) || 1,
      orient: "horizontal",
      left: "center",
      bottom: 0,
      itemHeight: 120,
      formatter: (value: number) => shown(value, unit),
      inRange: { color: ["#eaf3fb", "#0072b2", "#00263d"] },
    },
    series: [{ type: "heatmap", data: cells }],
  };
}
