/* Where everything in a JSON text stands, so that what is wrong with it can be shown there. Pure.
 * The browser's own parser says neither the line of a value nor, in every version, that of an
 * error; and it takes the last of two like keys without a word. */
import { words } from "../words/editor";

export class JsonError extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const DEPTH_MAX = 64;
const { jsonWrong: wrong } = words;

class Scanner {
  readonly source: string;
  readonly places = new Map<string, number>();
  private at = 0;

  constructor(source: string) {
    this.source = source;
  }

  document(): void {
    this.value("", 0);
    this.space();
    if (this.at < this.source.length) this.unexpected();
  }

  private unexpected(): never {
    throw new JsonError(wrong.unexpected(this.source.slice(this.at, this.at + 1)), this.at);
  }

  private space(): void {
    while (/[ \t\r\n]/.test(this.source.charAt(this.at))) this.at++;
  }

  private take(sign: string): boolean {
    this.space();
    if (!this.source.startsWith(sign, this.at)) return false;
    this.at += sign.length;
    return true;
  }

  private need(sign: string): void {
    if (!this.take(sign)) this.unexpected();
  }

  private value(path: string, depth: number): void {
    this.space();
    if (depth > DEPTH_MAX) throw new JsonError(wrong.deep, this.at);
    this.places.set(path, this.at);
    if (this.take("{")) this.members(path, depth);
    else if (this.take("[")) this.elements(path, depth);
    else if (this.source.charAt(this.at) === '"') this.string();
    else if (!["true", "false", "null"].some((word) => this.take(word))) this.number();
  }

  private members(path: string, depth: number): void {
    const keys = new Set<string>();
    if (this.take("}")) return;
    do {
      this.space();
      const start = this.at;
      if (this.source.charAt(start) !== '"') this.unexpected();
      const key = this.string();
      if (keys.has(key)) throw new JsonError(wrong.twice(key), start);
      keys.add(key);
      const own = path === "" ? key : `${path}.${key}`;
      this.need(":");
      this.value(own, depth + 1);
      this.places.set(own, start);
    } while (this.take(","));
    this.need("}");
  }

  private elements(path: string, depth: number): void {
    if (this.take("]")) return;
    let index = 0;
    do this.value(`${path}[${index++}]`, depth + 1);
    while (this.take(","));
    this.need("]");
  }

  private string(): string {
    const start = this.at++;
    while (this.at < this.source.length && this.source.charAt(this.at) !== '"')
      this.at += this.source.charAt(this.at) === "\\" ? 2 : 1;
    const source = this.source.slice(start, ++this.at);
    try {
      return JSON.parse(source) as string;
    } catch {
      throw new JsonError(wrong.string, start);
    }
  }

  private number(): void {
    const number = /^[-+.\w]+/.exec(this.source.slice(this.at))?.[0];
    if (number === undefined) this.unexpected();
    if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(number)) throw new JsonError(wrong.number, this.at);
    this.at += number.length;
  }
}

/* Of each value by its path ("stages[1].rule.op"; "" is all) where it begins: its key, where it has
 * one. Throws a JsonError. */
export function placesOf(source: string): Map<string, number> {
  const scanner = new Scanner(source);
  scanner.document();
  return scanner.places;
}

/* The place of a path, or of the nearest thing around it that is there. */
export function placeOf(places: Map<string, number>, path: string): number {
  let nearest = path;
  while (!places.has(nearest) && nearest !== "") nearest = nearest.replace(/(^|\.)[^.[\]]*$|\[\d+\]$/, "");
  return places.get(nearest) ?? 0;
}

export function lineAt(source: string, at: number): number {
  return source.slice(0, at).split("\n").length;
}
