// The bar of the time cursor: buttons, the slider to scrub with, speed, and what happens now.

import { dom, setAttributes, setText, svg } from "./dom.js";
import { epochAt } from "./film.js";
import { createPlayer } from "./play.js";
import { inSeconds, sayArrivals, spaced, violationsOf } from "./words.js";

const PLAY_SPEEDS = [0.1, 0.2, 0.5, 1, 2, 5, 10];

/** A letter of the clock is about so wide, of a digit. */
const LETTER_SHARE = 0.92;

const PLAY_KEYS = {
  ArrowRight: (player) => player.stepMessage(1),
  ArrowUp: (player) => player.stepMessage(1),
  ArrowLeft: (player) => player.stepMessage(-1),
  ArrowDown: (player) => player.stepMessage(-1),
  PageUp: (player) => player.stepEpoch(1),
  PageDown: (player) => player.stepEpoch(-1),
  Home: (player) => player.scrub(0),
  End: (player) => player.scrub(player.end),
};

// Drawn, for not every font has these signs.
const SIGNS = {
  "epoch back": "M3,3 V13 M13,3 L5,8 L13,13 Z",
  "message back": "M11,3 L4,8 L11,13 Z",
  play: "M4,2 L13,8 L4,14 Z",
  pause: "M4,3 H7 V13 H4 Z M10,3 H13 V13 H10 Z",
  "next message": "M5,3 L12,8 L5,13 Z",
  "next epoch": "M13,3 V13 M3,3 L11,8 L3,13 Z",
};

const playSign = (name) =>
  svg(
    "svg",
    { viewBox: "0 0 16 16", width: 14, height: 14, "aria-hidden": "true" },
    svg("path", { d: SIGNS[name], class: "sl-play-sign" }),
  );

const playButton = (name, press) =>
  dom(
    "button",
    { type: "button", class: "sl-play-button", "aria-label": name, title: name, click: press },
    playSign(name),
  );

/** Where an instant is on the slider, for the marks below it. */
const placeOnTrack = (film, time) => `${((100 * time) / film.header.end_s).toFixed(2)}%`;

function marksOf(film) {
  const { faults, partitions, bad_times, end_s } = film.header;
  const spans = [
    ...faults.map((fault) => [fault, "sl-mark-fault", `${fault.name}: ${fault.kind}`]),
    ...bad_times.map((time) => [time, "sl-mark-bad", "messages may take longer than Δ"]),
    ...partitions.map((cut) => [cut, "sl-mark-cut", "network cut in parts"]),
  ].map(([{ start_s, stop_s }, kind, title]) => {
    const stop = Math.min(stop_s ?? end_s, end_s);
    const width = placeOnTrack(film, Math.max(stop - start_s, 0));
    const style = `left: ${placeOnTrack(film, start_s)}; width: ${width}`;
    return dom("span", { class: `sl-mark ${kind}`, style, title });
  });
  const violations = violationsOf(film).map(({ time_s, sentence }) => {
    const style = `left: ${placeOnTrack(film, time_s)}`;
    return dom("span", { class: "sl-mark sl-mark-violation", style, title: sentence });
  });
  return [...spans, ...violations];
}

/** Say where the cursor is; the slider's value in words. */
function whereIs(film, time) {
  return `epoch ${epochAt(film, time)}, ${time.toFixed(3)} s of ${film.header.end_s.toFixed(1)} s`;
}

/** Say what was violated last, and when. */
function nameViolation(last) {
  return last ? `Violated at ${inSeconds(last.time_s)}: ${spaced(last.check)}. ` : "";
}

/** The bar. */
class PlayBar {
  constructor(store, player) {
    this.store = store;
    this.player = player;
    this.film = null;
    this.start = playButton("play", () => player.toggle());
    this.slider = this.makeSlider();
    this.speed = dom(
      "select",
      { class: "sl-menu", "aria-label": "speed", change: () => store.set({ speed: Number(this.speed.value) }) },
      ...PLAY_SPEEDS.map((factor) => dom("option", { value: factor }, `${factor}×`)),
    );
    this.marks = dom("div", { class: "sl-marks", "aria-hidden": "true" });
    this.clock = dom("span");
    this.event = dom("p", { class: "sl-happened" });
    this.violated = dom("strong");
    this.how = dom("span");
    this.alarm = dom("p", { class: "sl-alarm", role: "status" }, this.violated, this.how);
    this.element = dom(
      "section",
      { class: "sl-playbar", "aria-label": "play" },
      playButton("epoch back", () => player.stepEpoch(-1)),
      playButton("message back", () => player.stepMessage(-1)),
      this.start,
      playButton("next message", () => player.stepMessage(1)),
      playButton("next epoch", () => player.stepEpoch(1)),
      dom("div", { class: "sl-track" }, this.slider, this.marks),
      dom("span", { class: "sl-clock" }, this.clock),
      dom(
        "label",
        { title: "seconds of the protocol in one second" },
        dom("span", { class: "sl-speed" }, "speed "),
        this.speed,
      ),
      this.event,
      this.alarm,
    );
    this.off = store.on(["film", "time", "playing", "speed"], (state) => this.draw(state));
    this.draw(store.get());
  }

  makeSlider() {
    const { player } = this;
    return dom("input", {
      type: "range",
      class: "sl-scrub",
      min: 0,
      max: 1,
      step: "any",
      value: 0,
      "aria-label": "time",
      title: "arrows: one message; Page Up, Page Down: one epoch; Home, End",
      input: ({ target }) => player.scrub(target.valueAsNumber),
      keydown(event) {
        const move = PLAY_KEYS[event.key];
        if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        event.stopPropagation();
        move(player);
      },
    });
  }

  draw({ film, time, playing, speed }) {
    const name = playing ? "pause" : "play";
    for (const control of this.element.querySelectorAll("button, input")) control.disabled = !film;
    if (this.start.title !== name) this.start.replaceChildren(playSign(name));
    setAttributes(this.start, { "aria-label": name, title: name });
    this.speed.value = speed;
    if (!film) return;
    if (film !== this.film) {
      this.slider.max = film.header.end_s;
      const longest = whereIs(film, film.header.end_s).length;
      this.clock.style.width = `${longest * LETTER_SHARE}ch`;
      this.marks.replaceChildren(...marksOf(film));
      this.film = film;
    }
    this.slider.value = time;
    const where = whereIs(film, time);
    setText(this.clock, where);
    const happens = playing ? "" : sayArrivals(film, time);
    setText(this.event, happens);
    // While it plays the words would be read aloud without an end.
    const words = happens ? `${where}: ${happens}` : where;
    if (!playing) setAttributes(this.slider, { "aria-valuetext": words });
    const violation = violationsOf(film).findLast(({ time_s }) => time_s <= time);
    setText(this.violated, nameViolation(violation));
    setText(this.how, violation?.sentence ?? "");
    setAttributes(this.alarm, { title: this.how.textContent });
  }

  destroy() {
    this.off();
    this.player.destroy();
    this.element.remove();
  }
}

/**
 * @param {object} store
 * @param {Function} send messages to the kernel; the bar sends none
 * @param {object} [player] of the same store, where there is one already
 * @returns {{element: HTMLElement, player: object, destroy: () => void}}
 */
export const playPanel = (store, send, player = createPlayer(store)) => new PlayBar(store, player);
