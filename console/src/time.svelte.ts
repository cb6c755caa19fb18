// Times as people say them, in the viewer's zone; what is exact is in the title.
import { t } from "./texts";

let now = $state(Math.floor(Date.now() / 1000));
setInterval(() => (now = Math.floor(Date.now() / 1000)), 10_000);

export const clock = {
  /** Seconds since 1970, to ten seconds. */
  get now(): number {
    return now;
  },
};

const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const hour = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const second = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const date = (at: number): string => whole.format(at * 1000);
export const shortDate = (at: number): string => day.format(at * 1000);
export const hours = (at: number): string => hour.format(at * 1000);
export const exactly = (at: number): string => second.format(at * 1000);
export const utc = (at: number): string => `${new Date(at * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** How long something takes, in its largest unit that says enough. */
export function span(seconds: number): string {
  if (seconds > 0 && seconds < 1) return t.underSecond;
  const s = Math.max(0, Math.round(seconds));
  if (s < 90) return t.seconds(s);
  if (s < 5400) return t.minutes(Math.round(s / 60));
  if (s < 48 * 3600) return t.hours(Math.round(s / 3600));
  return t.days(Math.round(s / 86400));
}

/** When, as seen from now. */
export function when(at: number, from: number): string {
  const ago = from - at;
  if (Math.abs(ago) < 15) return t.justNow;
  return ago > 0 ? t.ago(span(ago)) : t.ahead(span(-ago));
}

export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = count / 1000;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export const count = (value: number): string => value.toLocaleString();
export const percent = (part: number, whole: number): string => {
  const share = whole > 0 ? (part * 100) / whole : 0;
  return `${share > 0 && share < 10 ? share.toFixed(1) : Math.round(share)} %`;
};
export const ppm = (parts: number): string => `${(parts / 10_000).toFixed(2)} %`;
