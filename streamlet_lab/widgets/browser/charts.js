// The four charts: prices, VWAP against consensus, finality latency, orders stopped.

import { chartPanel } from "./chart.js";
import { LATENCY, REJECTIONS } from "./outcomes.js";
import { PRICES, VWAP } from "./prices.js";

export const pricesPanel = (store) => chartPanel(store, PRICES);
export const vwapPanel = (store) => chartPanel(store, VWAP);
export const latencyPanel = (store) => chartPanel(store, LATENCY);
export const rejectionsPanel = (store) => chartPanel(store, REJECTIONS);
