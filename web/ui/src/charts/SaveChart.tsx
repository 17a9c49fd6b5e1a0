/* Takes the chart of a frame away as a file. */
import type { RefObject } from "preact";
import { text } from "../text";
import { savePng, saveSvg } from "./save";

interface Props {
  frame: RefObject<HTMLElement | null>;
  name: string;
  background: string;
}

export function SaveChart({ frame, name, background }: Props) {
  const take = (save: (svg: SVGSVGElement, name: string, background: string) => unknown) => {
    const svg = frame.current?.querySelector("svg");
    if (svg instanceof SVGSVGElement) void save(svg, name, background);
  };
  return (
    <p class="chart-save">
      <button type="button" class="button is-quiet" aria-label={text.charts.save(name, "PNG")} onClick={() => take(savePng)}>
        PNG
      </button>
      <button type="button" class="button is-quiet" aria-label={text.charts.save(name, "SVG")} onClick={() => take(saveSvg)}>
        SVG
      </button>
    </p>
  );
}
